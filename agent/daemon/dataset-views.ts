import type { DatasetDescription } from '../../protocol/documents/index.ts'
import type { Agreements } from '../agreements/index.ts'
import type { DatasetView } from '../api/index.ts'

export interface Offered {
  peer: string
  organisation: string
  dataset: DatasetDescription
}

/** One dataset as the network offers it: the first provider's description, and where others differ from it. */
export function viewDataset(
  offered: readonly Offered[],
  agreements: Agreements,
  own: string
): DatasetView | undefined {
  const [first, ...others] = offered
  if (first === undefined) return undefined
  const { id, title, tables } = first.dataset
  return {
    id,
    title,
    providers: offered.map(({ organisation, peer }) => ({
      organisation,
      peerId: peer,
      agreements: agreements
        .inForce({ provider: organisation, dataset: id })
        .filter((agreement) => agreement.payload.parties.includes(own))
        .map((agreement) => agreement.payload.name)
    })),
    tables: tables.map((table) => ({
      name: table.name,
      rows: offered.reduce(
        (sum, one) => sum + (one.dataset.tables.find((other) => other.name === table.name)?.rows ?? 0),
        0
      ),
      columns: table.columns.map(({ name, type, unit, description }) => ({
        name,
        type,
        ...(unit === undefined ? {} : { unit }),
        ...(description === undefined ? {} : { description })
      }))
    })),
    differences: others.flatMap((other) => differencesOf(first, other))
  }
}

function differencesOf(first: Offered, other: Offered): string[] {
  const shape = (one: Offered) =>
    new Map(
      one.dataset.tables.flatMap((table) =>
        table.columns.map((column) => [`${table.name}.${column.name}`, column.type])
      )
    )
  const expected = shape(first)
  const found = shape(other)
  const differences: string[] = []
  for (const [name, type] of expected) {
    const theirs = found.get(name)
    if (theirs === undefined) differences.push(`${other.organisation} has no ${name}`)
    else if (theirs !== type)
      differences.push(`${name} is ${theirs} at ${other.organisation}, ${type} at ${first.organisation}`)
  }
  for (const name of found.keys())
    if (!expected.has(name)) differences.push(`only ${other.organisation} has ${name}`)
  return differences
}

export function matches(dataset: DatasetDescription, words: string | undefined): boolean {
  if (words === undefined || words.trim() === '') return true
  const text = JSON.stringify(dataset).toLowerCase()
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}
