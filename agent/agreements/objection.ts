import {
  type AgreementDraft,
  checkAgreement,
  type Finding,
  namesToPin,
  unenforceableClauses
} from '../../policy/index.ts'
import type { Payload } from '../../protocol/documents/index.ts'
import type { Manifests } from '../../services/index.ts'

/** Bytes of terms that still go in one message with the signatures of 64 parties. */
const MAX_TERMS = 240 * 1024

/** The other parties have to be shown it; what is too long for a message would wait for their signatures for ever. */
export function checkLength({ terms }: AgreementDraft): Finding[] {
  const bytes = Buffer.byteLength(JSON.stringify(terms))
  if (bytes <= MAX_TERMS) return []
  const message = `expected terms of at most ${MAX_TERMS} bytes, found ${bytes}; name fewer values, or use a prefix`
  return [{ level: 'error', clause: '', message }]
}

/** The first thing that makes it void; a clause that cannot be enforced does not, requests under it are refused. */
export function whatIsWrong(draft: AgreementDraft, findings: readonly Finding[]): string | null {
  const clauses = new Set(unenforceableClauses(draft.terms).map((one) => one.clause))
  const wrong = findings.find((finding) => finding.level === 'error' && !clauses.has(finding.clause))
  if (wrong === undefined) return null
  const place = wrong.line === undefined ? '' : ` (line ${wrong.line})`
  return `${wrong.clause === '' ? 'the agreement' : wrong.clause}${place}: ${wrong.message}`
}

/** The names of what an agreement may allow. */
export function namesKnown({ archetypes, services, algorithms }: Manifests): {
  archetypes: string[]
  services: string[]
  algorithms: string[]
} {
  return {
    archetypes: [...archetypes.keys()],
    services: [...services.keys()],
    algorithms: [...algorithms.keys()]
  }
}

/** What this agent's steward should know of an agreement that others made, besides what it says. */
export function problemsHere(payload: Payload<'agreement'>, manifests: Manifests, now: number): string[] {
  const known = {
    archetype: manifests.archetypes,
    service: manifests.services,
    algorithm: manifests.algorithms
  }
  const differing = namesToPin(payload.terms).flatMap(({ kind, name, key }) => {
    const here = known[kind].get(name)
    const pinned = Object.hasOwn(payload.pins, key) ? payload.pins[key] : undefined
    return here === undefined || pinned === here.digest
      ? []
      : [`the ${kind} ${name} is another one here than where the agreement was made`]
  })
  const unknown = unknownHere(payload, manifests, now)
  return [...(unknown === null ? [] : [unknown]), ...differing]
}

/** What another's agreement names that is not known here. Its other parties need not be: they may never have met. */
export function unknownHere(
  { name, provider, dataset, terms }: Payload<'agreement'>,
  manifests: Manifests,
  now: number
): string | null {
  const draft = { name, provider, dataset, terms, lines: {} }
  return whatIsWrong(draft, checkAgreement(draft, { ...namesKnown(manifests), now }))
}
