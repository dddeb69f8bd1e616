import {
  type AgreementDraft,
  checkAgreement,
  type Finding,
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

/** What another's agreement names that is not known here. Its other parties need not be: they may never have met. */
export function unknownHere(
  { name, provider, dataset, terms }: Payload<'agreement'>,
  manifests: Manifests,
  now: number
): string | null {
  const draft = { name, provider, dataset, terms, lines: {} }
  const known = {
    archetypes: [...manifests.archetypes.keys()],
    services: [...manifests.services.keys()],
    algorithms: [...manifests.algorithms.keys()],
    now
  }
  return whatIsWrong(draft, checkAgreement(draft, known))
}
