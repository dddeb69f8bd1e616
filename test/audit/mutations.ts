import fc from 'fast-check'
import { z } from 'zod'
import type { ExportRecord } from '../../agent/audit/records.ts'
import { decodePlain, encodePlain } from '../../protocol/documents/index.ts'
import type { Draft } from './export-builder.ts'

/** Where in a value a leaf stands. */
type Path = readonly (string | number)[]

function* leaves(value: unknown, path: Path = []): Generator<Path> {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) yield path
  else
    for (const [key, inner] of Array.isArray(value) ? value.entries() : Object.entries(value))
      yield* leaves(inner, [...path, key])
}

function withLeaf(value: unknown, [key, ...rest]: Path, change: (leaf: unknown) => unknown): unknown {
  if (key === undefined) return change(value)
  if (Array.isArray(value))
    return value.map((one, index) => (index === key ? withLeaf(one, rest, change) : one))
  if (value === null || typeof value !== 'object') return value
  // In place at the top of what is carried: its class is told from a map.
  const inner = Object.entries(value).map(([name, one]) => [
    name,
    name === key ? withLeaf(one, rest, change) : one
  ])
  return Object.assign(Object.create(Object.getPrototypeOf(value)), Object.fromEntries(inner))
}

/** The part of a record that somebody could have signed otherwise. */
function insideOf(draft: Draft): { get: unknown; set(value: object): void } | null {
  const set = (field: 'payload' | 'entry' | 'content') => (value: object) =>
    Object.assign(draft, { [field]: value })
  switch (draft.kind) {
    case 'document':
    case 'end':
      return { get: draft.payload, set: set('payload') }
    case 'entry':
      return { get: draft.entry, set: set('entry') }
    case 'section':
    case 'opening':
      return { get: draft.content, set: set('content') }
    default:
      return null
  }
}

function otherThan(leaf: unknown, how: number): unknown {
  if (typeof leaf === 'number')
    return [leaf + 1, leaf === 0 ? 5 : 0, Math.max(0, leaf - 1), 1795544016085][how % 4]
  if (typeof leaf === 'boolean') return !leaf
  if (leaf === null) return [0, '', 'something'][how % 3]
  if (leaf instanceof Uint8Array)
    return Uint8Array.from(leaf, (byte, at) => (at === how % leaf.byteLength ? byte ^ 1 : byte))
  if (typeof leaf !== 'string') return null
  if (/^bafy/.test(leaf)) return `bafyrei${'b'.repeat(52)}`
  if (/^[0-9a-f]{64}$/.test(leaf)) return `${leaf.slice(1)}0`
  return ['permit', 'deny', '*', '', 'RUG', null, leaf.slice(1), 'failed', 'data'][how % 9]
}

export interface Mutation {
  record: number
  leaf: number
  how: number
}
export const mutation: fc.Arbitrary<Mutation> = fc.record({
  record: fc.nat(),
  leaf: fc.nat(),
  how: fc.nat()
})

/** A value in which one field is another, and in words which. */
export function changedField(value: unknown, { leaf, how }: Mutation): { value: unknown; said: string } {
  const paths = [...leaves(value)]
  const path = paths[leaf % paths.length] ?? []
  let said = ''
  const changed = withLeaf(value, path, (known) => {
    const other = otherThan(known, how)
    said = `${path.join('.')}: ${JSON.stringify(known)} becomes ${JSON.stringify(other)}`
    return other
  })
  return { value: changed, said }
}

/** Changes one field of one record, which can be signed anew: what it was and where, in words. */
export function mutate(drafts: Draft[], mutation: Mutation): string {
  const open = drafts.flatMap((draft) => {
    const inside = insideOf(draft)
    return inside === null ? [] : [{ draft, inside }]
  })
  const chosen = open[mutation.record % open.length]
  if (chosen === undefined) throw new Error('expected a record')
  const { draft, inside } = chosen
  const { value, said } = changedField(inside.get, mutation)
  if (value !== null && typeof value === 'object') inside.set(value)
  return `${draft.kind} ${draft.kind === 'document' ? draft.type : ''} ${said}`
}

const anything = z.unknown()

/** A record with one field of what it holds changed, under the signatures that it had. */
export function changedRecord(record: ExportRecord, mutation: Mutation): ExportRecord | null {
  const inside = (bytes: Uint8Array) =>
    encodePlain(changedField(decodePlain(bytes, anything), mutation).value)
  switch (record.kind) {
    case 'document':
      return { ...record, payload: inside(record.payload) }
    case 'entry':
      return { ...record, entry: inside(record.entry) }
    case 'section':
    case 'opening':
      return { ...record, content: inside(record.content) }
    case 'end':
      return { ...record, checkpoint: { ...record.checkpoint, payload: inside(record.checkpoint.payload) } }
    default:
      return null
  }
}
