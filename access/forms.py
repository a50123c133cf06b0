"""How grants are written down in the admin site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from access.actions import Action
from access.models import Grant

# Django's class takes the model it is for as a parameter in its stubs alone.
if TYPE_CHECKING:
    GrantFormBase = forms.ModelForm[Grant]
else:
    GrantFormBase = forms.ModelForm


class GrantForm(GrantFormBase):
    """A grant, with its actions as boxes to tick."""

    actions = forms.MultipleChoiceField(
        label=_("actions"),
        choices=[(action.value, action.value) for action in Action],
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Grant
        fields: ClassVar[list[str]] = [
            "name",
            "user",
            "group",
            "actions",
            "cluster",
            "namespaces",
            "labels",
            "containers",
            "until",
            "owner",
            "enabled",
        ]

    def clean_actions(self) -> list[str]:
        """Keep the order of the actions, so that the same choice is stored the same way."""
        chosen: Any = self.cleaned_data["actions"]
        return [action.value for action in Action if action.value in chosen]
