import { stringify } from 'yaml'
import { describeAgreement } from './describe.ts'
import type { Agreed } from './draft.ts'
import { formOfAgreement } from './write.ts'

/** A clause that reads otherwise in two versions; null where one has no such clause. */
export interface ChangedClause {
  clause: string
  before: string | null
  after: string | null
}

export interface Changes {
  clauses: ChangedClause[]
  /** Sentences that only the earlier version has, and that only the later one has. */
  removed: string[]
  added: string[]
}

/** Below these, each entry is a clause of its own. */
const SPLIT = ['tables', 'output', 'anonymize', 'services', 'valid', 'about']

function clausesOf(agreed: Agreed | undefined): Map<string, string> {
  const clauses = new Map<string, string>()
  if (agreed === undefined) return clauses
  const text = (value: unknown) =>
    stringify(value, { lineWidth: 0, collectionStyle: 'flow', flowCollectionPadding: false }).trim()
  for (const [clause, value] of Object.entries(formOfAgreement(agreed))) {
    if (SPLIT.includes(clause) && typeof value === 'object' && value !== null && !Array.isArray(value))
      for (const [inner, part] of Object.entries(value)) clauses.set(`${clause}.${inner}`, text(part))
    else clauses.set(clause, text(value))
  }
  return clauses
}

/** What two versions say differently, clause by clause, and in words made from the same terms. */
export function changesBetween(before: Agreed | undefined, after: Agreed): Changes {
  const [one, other] = [clausesOf(before), clausesOf(after)]
  const clauses = [...new Set([...one.keys(), ...other.keys()])].flatMap((clause) => {
    const [was, is] = [one.get(clause) ?? null, other.get(clause) ?? null]
    return was === is ? [] : [{ clause, before: was, after: is }]
  })
  const words = [before === undefined ? [] : describeAgreement(before), describeAgreement(after)] as const
  return {
    clauses,
    removed: words[0].filter((line) => !words[1].includes(line)),
    added: words[1].filter((line) => !words[0].includes(line))
  }
}
