"""The Identity stack: creates a user pool with its app client and profile trigger, or refers to existing ones."""

from __future__ import annotations

from typing import Final

from aws_cdk import Aws, CfnWaitConditionHandle, Duration
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from handlers.settings import ProfileSettings
from stacks import outputs
from stacks.config.fields import Environment
from stacks.constructs.function import HandlerFunction
from stacks.constructs.stack import EnvironmentStack
from stacks.constructs.user_pool import UserPoolReference
from stacks.packaging import Asset
from stacks.policy import arns, nag

_PASSWORD_LENGTH_MIN: Final = 8
_CANARY_TOKEN: Final = Duration.minutes(5)  # the shortest that Cognito allows; a run takes seconds
_PROFILE_TIMEOUT: Final = Duration.seconds(5)  # Cognito waits 5 s for a trigger


class IdentityStack(EnvironmentStack):
    """A created pool has e-mail and SRP sign-in, self sign-up, verified addresses and optional authenticator apps."""

    def __init__(self, scope: Construct, environment: Environment, asset: Asset) -> None:
        super().__init__(scope, "Identity", environment, "user pool and sign-up")
        imported = environment.identity.source == "import"
        self.pool = self._import_pool() if imported else self._create_pool(asset)
        self.add_output(outputs.USER_POOL_ID, self.pool.id)
        self.add_output(outputs.CLIENT_ID, self.pool.client_ids[0])
        self.add_output(outputs.POOL_REGION, self.pool.region)
        self.add_output(outputs.STACK_REGION, Aws.REGION)

    def _import_pool(self) -> UserPoolReference:
        # CloudFormation refuses a stack without resources; a wait condition handle does nothing.
        CfnWaitConditionHandle(self, "Imported")
        identity = self.environment_settings.identity
        if identity.pool_id is None:
            raise ValueError("an imported pool needs identity.pool_id; loading the settings checks this")
        return UserPoolReference(identity.pool_id, identity.pool_id.partition("_")[0], identity.client_ids)

    def _create_pool(self, asset: Asset) -> UserPoolReference:
        pool = self._add_user_pool()
        profile = HandlerFunction(
            self,
            "Profile",
            environment=self.environment_settings,
            asset=asset,
            settings=ProfileSettings,
            values={},
            timeout=_PROFILE_TIMEOUT,
            description="Cognito trigger: creates the profile of a user who confirmed the e-mail address",
        )
        nag.acknowledge_synchronous_caller(profile.function, "Cognito")
        pool.add_trigger(cognito.UserPoolOperation.POST_CONFIRMATION, profile.function)
        clients = [self._add_client(pool)]
        if self.environment_settings.canary.enabled:
            clients.append(self._add_canary_client(pool))
            self.add_output(outputs.CANARY_CLIENT_ID, clients[-1].user_pool_client_id)
        ids = tuple(client.user_pool_client_id for client in clients)
        return UserPoolReference(pool.user_pool_id, Aws.REGION, ids)

    def _add_canary_client(self, pool: cognito.UserPool) -> cognito.UserPoolClient:
        """Add the client that takes a password as it is, so that the canary's users need no SRP; no page uses it."""
        return pool.add_client(
            "CanaryClient",
            user_pool_client_name=self.names.of("Canary"),
            generate_secret=False,
            auth_flows=cognito.AuthFlow(user_password=True),
            disable_o_auth=True,
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            access_token_validity=_CANARY_TOKEN,
            id_token_validity=_CANARY_TOKEN,
            refresh_token_validity=Duration.hours(1),
            read_attributes=_written_attributes(),
            write_attributes=_written_attributes(),
        )

    def _add_user_pool(self) -> cognito.UserPool:
        data = self.environment_settings.data
        pool = cognito.UserPool(
            self,
            "UserPool",
            user_pool_name=self.names.of("Users"),
            feature_plan=cognito.FeaturePlan.LITE,
            sign_in_aliases=cognito.SignInAliases(email=True),
            sign_in_case_sensitive=False,
            self_sign_up_enabled=True,
            user_verification=cognito.UserVerificationConfig(
                email_subject="Your PantherKolab code",
                email_body="Welcome to PantherKolab. Your code is {####}",
                email_style=cognito.VerificationEmailStyle.CODE,
            ),
            auto_verify=cognito.AutoVerifiedAttrs(email=True),
            keep_original=cognito.KeepOriginalAttrs(email=True),
            standard_attributes=cognito.StandardAttributes(
                email=cognito.StandardAttribute(required=True, mutable=True),
                given_name=cognito.StandardAttribute(required=False, mutable=True),
                family_name=cognito.StandardAttribute(required=False, mutable=True),
            ),
            password_policy=cognito.PasswordPolicy(
                min_length=_PASSWORD_LENGTH_MIN,
                require_lowercase=True,
                require_uppercase=True,
                require_digits=True,
                require_symbols=True,
                temp_password_validity=Duration.days(7),
            ),
            mfa=cognito.Mfa.OPTIONAL,
            mfa_second_factor=cognito.MfaSecondFactor(sms=False, otp=True),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            deletion_protection=data.deletion_protection,
            removal_policy=self.data_removal_policy,
        )
        self._set_email_sender(pool)
        nag.acknowledge_user_pool_plan(pool)
        return pool

    def _set_email_sender(self, pool: cognito.UserPool) -> None:
        sender = self.environment_settings.identity.email_from
        if sender is None:
            return
        domain = sender.rpartition("@")[2]
        resource = pool.node.default_child
        if not isinstance(resource, cognito.CfnUserPool):
            raise TypeError("the default child of a user pool is not a CfnUserPool")
        resource.email_configuration = cognito.CfnUserPool.EmailConfigurationProperty(
            email_sending_account="DEVELOPER",
            from_=sender,
            source_arn=arns.ses_identity_arn(domain),
        )

    def _add_client(self, pool: cognito.UserPool) -> cognito.UserPoolClient:
        written = _written_attributes()
        read = written.with_standard_attributes(email_verified=True)
        client = pool.add_client(
            "Client",
            user_pool_client_name=self.names.of("Web"),
            generate_secret=False,
            auth_flows=cognito.AuthFlow(user_srp=True),
            disable_o_auth=True,
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            access_token_validity=Duration.hours(1),
            id_token_validity=Duration.hours(1),
            refresh_token_validity=Duration.days(30),
            read_attributes=read,
            write_attributes=written,
        )
        # AWS chooses the id of a client; a new client would have another id, which no deployed front end knows.
        client.apply_removal_policy(self.data_removal_policy)
        return client


def _written_attributes() -> cognito.ClientAttributes:
    """Return the attributes that a user may change; a verified address is not one of them."""
    return cognito.ClientAttributes().with_standard_attributes(email=True, given_name=True, family_name=True)
