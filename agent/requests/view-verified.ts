import type { PlacedStep, Verification } from '../../protocol/documents/index.ts'
import type { RequestView } from '../api/index.ts'
import type { RequestRecord } from './record.ts'

/** A step as people see it; every step of whoever was asked to run again what another ran is one of those. */
export function viewStep(
  { service, at }: PlacedStep,
  verify: string | undefined,
  organisationOf: (peer: string) => string
): RequestView['chain'][number] {
  return { service, at: organisationOf(at), ...(at === verify ? { again: true } : {}) }
}

/** What the recipient signed of two results that differ. */
export function differingOf({ dossier, coordinator }: RequestRecord): Verification | undefined {
  const stage = coordinator?.stage
  const signer = stage?.phase === 'ended' ? stage.outcome.signer : null
  const outcome = signer === null ? undefined : dossier.outcomes.get(signer)?.payload
  return outcome?.code === 'verification-differs' ? outcome.verification : undefined
}

export function explainDifference(differing: Verification | undefined): string | null {
  if (differing === undefined) return null
  const { of, at } = differing
  return `${of} and ${at} were to run the same steps over the same rows, and gave different results; nobody here can tell which of them is wrong, so there is no result`
}
