import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import { literalOf, literalsOf, pathOf } from './condition.ts'

/** Kinds of names that facts hold. */
export const NAME_KINDS = [
  'purpose',
  'archetype',
  'algorithm',
  'service',
  'organisation',
  'dataset',
  'table',
  'column',
  'agreement'
] as const
export type NameKind = (typeof NAME_KINDS)[number]

/** The names there are, where a rule is looked at; kinds left out are not compared. */
export type KnownNames = Partial<Readonly<Record<NameKind, readonly string[]>>>

export interface NamedInRule {
  kind: NameKind
  name: string
}

const KIND_OF: Readonly<Record<string, NameKind>> = {
  'context.purpose': 'purpose',
  'context.archetype': 'archetype',
  'context.algorithm': 'algorithm',
  'context.services': 'service',
  'context.self': 'organisation',
  'context.requester': 'organisation',
  'context.dataProviders': 'organisation',
  'context.infrastructure': 'organisation',
  'context.recipients': 'organisation',
  'context.unsandboxed': 'organisation',
  'context.pseudonymsOpenTo': 'organisation',
  'context.datasets': 'dataset',
  'context.tables': 'table',
  'context.columns': 'column',
  'principal.organisation': 'organisation',
  'resource.provider': 'organisation',
  'resource.dataset': 'dataset',
  'resource.name': 'agreement',
  'resource.purposes.names': 'purpose',
  'resource.archetypes.names': 'archetype',
  'resource.algorithms.names': 'algorithm',
  'resource.computeProviders.names': 'organisation',
  'resource.recipients.names': 'organisation',
  'resource.hostedFor.names': 'organisation',
  'resource.tables': 'table',
  'resource.columns': 'column',
  'resource.require': 'service',
  'resource.forbid': 'service'
}

const COMPARE = ['==', '!=', 'contains', 'containsAll', 'containsAny']

function texts(expression: unknown): string[] {
  const values = literalsOf(expression) ?? [literalOf(expression)]
  return values.filter((value) => typeof value === 'string')
}

function entityName(value: object): NamedInRule[] {
  const entity: unknown = Reflect.get(value, '__entity')
  if (typeof entity !== 'object' || entity === null) return []
  return nameOf(Reflect.get(entity, 'type'), Reflect.get(entity, 'id'))
}

/** `User::"UVA/analyst"` names the organisation that vouches for the user. */
function nameOf(type: unknown, id: unknown): NamedInRule[] {
  if (typeof id !== 'string') return []
  if (type === 'Organisation') return [{ kind: 'organisation', name: id }]
  return type === 'User' ? [{ kind: 'organisation', name: id.split('/')[0] ?? id }] : []
}

function visit(expression: unknown, found: NamedInRule[]): void {
  if (Array.isArray(expression)) for (const part of expression) visit(part, found)
  if (typeof expression !== 'object' || expression === null) return
  found.push(...entityName(expression))
  for (const [operator, operand] of Object.entries(expression)) {
    if (COMPARE.includes(operator) && typeof operand === 'object' && operand !== null) {
      const [left, right]: unknown[] = [Reflect.get(operand, 'left'), Reflect.get(operand, 'right')]
      for (const [path, value] of [
        [pathOf(left), right],
        [pathOf(right), left]
      ] as const) {
        const kind = path !== null && Object.hasOwn(KIND_OF, path) ? KIND_OF[path] : undefined
        if (kind !== undefined) found.push(...texts(value).map((name) => ({ kind, name })))
      }
    }
    visit(operand, found)
  }
}

/** Every name that a rule compares facts with. */
export function namedIn({ principal, resource, conditions }: PolicyJson): NamedInRule[] {
  const found: NamedInRule[] = []
  for (const constraint of [principal, resource]) {
    const entity = 'entity' in constraint ? constraint.entity : 'in' in constraint ? constraint.in : undefined
    if (entity !== undefined && 'type' in entity) found.push(...nameOf(entity.type, entity.id))
    if (entity !== undefined) visit(entity, found)
  }
  for (const { body } of conditions) visit(body, found)
  return found
}
