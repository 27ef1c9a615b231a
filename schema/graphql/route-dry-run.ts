import { ERRORS } from '../errors.ts';
import { CHAT_COMPLETIONS } from '../http/chat-completions.ts';
import { badInput } from './bad-input.ts';
import { builder } from './builder.ts';
import { requireUuid } from './global-id.ts';
import { Model } from './model.ts';
import { notFound } from './not-found.ts';
import type { DryRunAnswer, DryRunRefusal, DryRunSkip, DryRunTarget } from './ports/route-dry-run.ts';
import { ProviderCredential } from './provider-credential.ts';
import { RouteDecision } from './request-details.ts';
import { Route } from './route.ts';

const CredentialSource = builder.enumType('CredentialSource', {
  values: {
    NONE: { value: 'none' as const, description: 'The provider is called without one.' },
    ENVIRONMENT: {
      value: 'environment' as const,
      description:
        'A variable of the proxies. One that has not got it set refuses with `upstream_credentials_rejected`, which nobody but it can tell.',
    },
    ORGANIZATION: { value: 'organization' as const, description: "One of the organization's own." },
  },
});

const SkipReason = builder.enumType('RouteTargetSkipReason', {
  values: {
    MODEL_GONE: { value: 'model_gone' as const, description: 'The model or its provider was archived.' },
    CREDENTIAL_GONE: { value: 'credential_gone' as const, description: 'The credential it names was revoked.' },
  },
});

const Refusal = builder.objectRef<DryRunRefusal>('GatewayRefusal').implement({
  description: 'What an application would be answered.',
  fields: (t) => ({
    code: t.exposeString('code', { description: '`error.code` of the answer.' }),
    httpStatus: t.int({ resolve: ({ code }) => ERRORS[code].status }),
    message: t.exposeString('message'),
    param: t.exposeString('param', { nullable: true }),
    isRetryable: t.boolean({
      description: 'Whether the same request may succeed later without a change.',
      resolve: ({ code }) => ERRORS[code].retryable,
    }),
    candidates: t.exposeStringList('candidates', { description: 'Models it could have meant, where there are several.' }),
  }),
});

const Target = builder.objectRef<DryRunTarget>('RouteDryRunTarget').implement({
  description: 'A model that the request could go to.',
  fields: (t) => ({
    model: t.field({ type: Model, nullable: true, resolve: ({ modelId }) => requireUuid('Model', modelId) }),
    weight: t.exposeInt('weight', { description: 'How probable it is: this over `weightSum`.' }),
    credentialSource: t.field({ type: CredentialSource, resolve: (target) => target.credentialSource }),
    credential: t.field({
      type: ProviderCredential,
      nullable: true,
      description: "null where it is not one of the organization's.",
      resolve: ({ credentialId }) => (credentialId === null ? null : requireUuid('ProviderCredential', credentialId)),
    }),
    servesEndpoint: t.exposeBoolean('servesEndpoint', {
      description:
        'Whether its provider serves the endpoint; where it does not, a request that draws it is refused with `endpoint_not_supported`.',
    }),
    priceVersion: t.exposeString('priceVersion', { nullable: true, description: 'That holds now; null: its requests would be unrated.' }),
  }),
});

const Skip = builder.objectRef<DryRunSkip>('RouteDryRunSkip').implement({
  description: 'A target that the route names and no request goes to.',
  fields: (t) => ({
    model: t.field({ type: Model, nullable: true, resolve: ({ modelId }) => requireUuid('Model', modelId) }),
    weight: t.exposeInt('weight'),
    credential: t.field({
      type: ProviderCredential,
      nullable: true,
      resolve: ({ credentialId }) => (credentialId === null ? null : requireUuid('ProviderCredential', credentialId)),
    }),
    reason: t.field({ type: SkipReason, resolve: ({ reason }) => reason }),
  }),
});

const RouteDryRun = builder.objectRef<DryRunAnswer>('RouteDryRun').implement({
  description: 'What a proxy with the registry of this moment would do with a request. No provider is called and nothing is booked.',
  fields: (t) => ({
    refusals: t.field({
      type: [Refusal],
      description: 'In the order a proxy finds them; an application is told the first. Empty: a provider would be called.',
      resolve: ({ refusals }) => refusals,
    }),
    route: t.field({
      type: Route,
      nullable: true,
      description: 'null: the name is no route.',
      resolve: ({ routeId }) => (routeId === null ? null : requireUuid('Route', routeId)),
    }),
    decision: t.field({
      type: RouteDecision,
      nullable: true,
      description: "As the request's details would show it; null where the name leads nowhere.",
      resolve: ({ decision }) => decision,
    }),
    targets: t.field({
      type: [Target],
      description: 'Where it could go, in the order of the route. They are told even where the key is refused.',
      resolve: ({ targets }) => targets,
    }),
    weightSum: t.exposeInt('weightSum', { description: 'Of the `targets`; 0 where there is none.' }),
    skipped: t.field({ type: [Skip], resolve: ({ skipped }) => skipped }),
    drawn: t.field({
      type: Target,
      nullable: true,
      description: 'The target that `requestId` draws; null where none is given.',
      resolve: ({ drawn }) => drawn,
    }),
  }),
});

/** As long as the `model` of a request may be. */
const longestModel = 256;
const longestEndpoint = 256;

builder.queryFields((t) => ({
  routeDryRun: t.field({
    type: RouteDryRun,
    description: 'Where a request with this key for this model would go, decided as the proxies decide it.',
    authScopes: { permission: 'route:read' },
    extensions: { cost: () => 10 },
    args: {
      apiKeyId: t.arg.id({ required: true }),
      model: t.arg.string({ required: true, description: 'As an application writes it: a model, or a route.' }),
      endpoint: t.arg.string({
        required: true,
        defaultValue: CHAT_COMPLETIONS,
        description: 'Path of the proxy that is asked, by POST.',
      }),
      requestId: t.arg.id({
        description: 'The draw among weighted targets is made from the id of a request alone: give one to see what it draws.',
      }),
    },
    resolve: async (_root, { apiKeyId, model, endpoint, requestId }, context) => {
      if (model === '' || model.length > longestModel) throw badInput(`\`model\` has 1 to ${longestModel} characters.`);
      if (endpoint.length > longestEndpoint) throw badInput(`\`endpoint\` has at most ${longestEndpoint} characters.`);
      if (requestId != null) requireUuid('Request', requestId);
      const question = { apiKeyId: requireUuid('ApiKey', apiKeyId), model, endpoint, requestId: requestId ?? null };
      const answer = await context.routeDryRun(question);
      if (answer === null) throw notFound();
      return answer;
    },
  }),
}));
