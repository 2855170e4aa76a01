"""The gateway's nouns."""

from services.gateway.model.held_form import HeldForm
from services.gateway.model.invitation import Identity, Invitation, ProviderVisit
from services.gateway.model.notice import Channel, Delivery, DeliveryAttempt, Notice, NoticeSetting, delivery_notice
from services.gateway.model.person import Appointment, Person, Unit
from services.gateway.model.personal_setting import PersonalSetting
from services.gateway.model.second_factor import PendingSignIn, RecoveryCode, SecondFactor
from services.gateway.model.session import Attempt, Session, Token
from services.gateway.model.table import Table

__all__ = [
    "Appointment",
    "Attempt",
    "Channel",
    "Delivery",
    "DeliveryAttempt",
    "HeldForm",
    "Identity",
    "Invitation",
    "Notice",
    "NoticeSetting",
    "PendingSignIn",
    "Person",
    "PersonalSetting",
    "ProviderVisit",
    "RecoveryCode",
    "SecondFactor",
    "Session",
    "Table",
    "Token",
    "Unit",
    "delivery_notice",
]
