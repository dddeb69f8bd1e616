/** What a fixed set of rules is about: the entity that is the resource. */
export const SUBJECTS = ['Agreement', 'Hosting', 'Delivery', 'Contract'] as const
export type Subject = (typeof SUBJECTS)[number]

/**
 * One broad permit and one `forbid … unless` per clause, because a denial then names every clause that is broken, while a
 * missing permit names none. `@id` is the clause. The order here is the order in which broken clauses are reported.
 */
const AGREEMENT = `
@id("valid.from")
forbid (principal, action, resource) unless {
  if resource has validFrom then context.instant >= resource.validFrom else true
};

@id("valid.until")
forbid (principal, action, resource) unless { context.instant < resource.validUntil };

@id("consumers")
forbid (principal, action, resource) unless { resource.users.contains(principal) || principal in resource.organisations };

@id("dataset")
forbid (principal, action, resource) unless {
  resource.provider == context.self && context.datasets.contains(resource.dataset)
};

@id("purposes")
forbid (principal, action, resource) unless {
  action == Action::"discover" || resource.purposes.any || resource.purposes.names.contains(context.purpose)
};

@id("archetypes")
forbid (principal, action, resource) unless {
  action == Action::"discover" || resource.archetypes.any || resource.archetypes.names.contains(context.archetype)
};

@id("computeProviders")
forbid (principal, action, resource) unless {
  action == Action::"discover" || resource.computeProviders.any ||
  resource.computeProviders.names.containsAll(context.infrastructure)
};

@id("recipients")
forbid (principal, action, resource) unless {
  action == Action::"discover" ||
  (!context.recipients.isEmpty() &&
    (resource.recipients.any || resource.recipients.names.containsAll(context.recipients)))
};

@id("algorithms")
forbid (principal, action, resource) unless {
  action == Action::"discover" || resource.algorithms.any || resource.algorithms.names.contains(context.algorithm)
};

@id("tables")
forbid (principal, action, resource) unless {
  if context has tables then resource.tables.containsAll(context.tables)
  else action in [Action::"discover", Action::"offer"]
};

@id("columns")
forbid (principal, action, resource) unless {
  if context has columns then resource.columns.containsAll(context.columns)
  else action in [Action::"discover", Action::"offer"]
};

@id("services.forbid")
forbid (principal, action, resource) unless {
  if context has services then !(resource.forbid.containsAny(context.services))
  else action in [Action::"discover", Action::"offer"]
};

@id("services.require")
forbid (principal, action, resource) unless {
  if context has services then context.services.containsAll(resource.require)
  else action in [Action::"discover", Action::"offer"]
};

@id("sandbox")
forbid (principal, action, resource) unless {
  if context has unsandboxed then !resource.sandboxed || context.unsandboxed.isEmpty()
  else action in [Action::"discover", Action::"offer"]
};

@id("limits")
forbid (principal, action, resource) unless {
  if resource has requests && action in [Action::"offer", Action::"accept"]
  then context has requestsInWindow && context.requestsInWindow < resource.requests
  else true
};

@id("approval")
forbid (principal, action, resource) unless {
  !resource.approval ||
  (if context has approved then context.approved else action in [Action::"discover", Action::"offer"])
};
`

const HOSTING = `
@id("infrastructure")
forbid (principal, action, resource) unless { context.infrastructure.contains(context.self) };

@id("for")
forbid (principal, action, resource) unless {
  resource.hostedFor.any || resource.hostedFor.names.contains(context.requester)
};

@id("algorithms")
forbid (principal, action, resource) unless {
  resource.algorithms.any || resource.algorithms.names.contains(context.algorithm)
};
`

const DELIVERY = `
@id("recipients")
forbid (principal, action, resource) unless { context.recipients.contains(context.self) };

@id("asked")
forbid (principal, action, resource) unless { resource.asked || resource.consents };
`

const CONTRACT = `
@id("expires")
forbid (principal, action, resource) unless { context.instant < resource.expires };

@id("parties")
forbid (principal, action, resource) unless {
  context has flow && context.flow.from != context.flow.to &&
  resource.parties.containsAll([context.flow.from, context.flow.to])
};

@id("flows")
forbid (principal, action, resource) unless { context has flow && resource.flows.contains(context.flow.id) };

@id("place")
forbid (principal, action, resource) unless {
  context has flow &&
  context.flow.peer == (if action == Action::"receive" then context.flow.to else context.flow.from)
};

@id("delivery")
forbid (principal, action, resource) unless {
  action != Action::"release" || (context has flow && context.flow.delivers)
};

@id("recipients")
forbid (principal, action, resource) unless {
  resource.named.containsAll(context.recipients) &&
  (resource.recipients.any || resource.recipients.names.containsAll(resource.named))
};

@id("purposes")
forbid (principal, action, resource) unless {
  resource.purposes.any || resource.purposes.names.contains(context.purpose)
};

@id("until")
forbid (principal, action, resource) unless {
  if resource has until then context.instant < resource.until else true
};

@id("services.forbid")
forbid (principal, action, resource) unless {
  context has services && !(resource.forbid.containsAny(context.services))
};

@id("services.require")
forbid (principal, action, resource) unless {
  context has services && context.services.containsAll(resource.require)
};

@id("maxRows")
forbid (principal, action, resource) unless {
  if resource has maxRows && context has flow && context.flow.delivers && context.flow has rows
  then context.flow.rows <= resource.maxRows
  else true
};
`

export const PERMIT = '@id("permit")\npermit (principal, action, resource);\n'

export const RULES: Readonly<Record<Subject, string>> = {
  Agreement: PERMIT + AGREEMENT,
  Hosting: PERMIT + HOSTING,
  Delivery: PERMIT + DELIVERY,
  Contract: PERMIT + CONTRACT
}

/** The rules of a set under their clauses, in the order in which broken ones are reported; `permit` first. */
export function rulesOf(subject: Subject): Map<string, string> {
  const rules = RULES[subject].split(/\n(?=@id)/).map((rule): [string, string] => {
    const clause = /@id\("([^"]+)"\)/.exec(rule)?.[1]
    return [clause ?? '', rule]
  })
  return new Map(rules)
}

const CLAUSES = new Map(
  SUBJECTS.map((subject) => [subject, [...rulesOf(subject).keys()].filter((clause) => clause !== 'permit')])
)

/** The clauses of a set, in the order in which broken ones are reported. */
export function clausesOf(subject: Subject): readonly string[] {
  return CLAUSES.get(subject) ?? []
}
