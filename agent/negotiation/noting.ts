import type { Section, Signed } from '../../protocol/documents/index.ts'
import { type Dossier, RESULT_SERVICE } from './dossier.ts'
import type { ExchangePorts } from './ports.ts'

type Clock = Pick<ExchangePorts['clock'], 'now'>

/** That a document was made here, or came; once for each. */
export function noteDocument(
  dossier: Dossier,
  kind: 'request' | 'offer',
  document: { id: string },
  clock: Clock
): void {
  dossier.note({
    time: clock.now(),
    kind,
    request: dossier.request.id,
    document: document.id,
    fields: {}
  })
}

export function noteContract(dossier: Dossier, { id, payload }: Signed<'contract'>, clock: Clock): void {
  const { epoch } = payload
  dossier.note({
    time: clock.now(),
    kind: 'contract',
    request: dossier.request.id,
    contract: id,
    document: id,
    fields: { epoch }
  })
}

/** A job that a contract has a party run: a step, as often as its output goes to somebody. */
export interface OwnJob {
  step: number
  round: number
  service: string
}

/** A step that was begun anew would be attempt 2; there is none yet. */
export const ATTEMPT = 1

/** What a party runs under its sections of a contract. */
export function ownJobs(
  { chain, flows }: Signed<'contract'>['payload'],
  sections: readonly Section[],
  self: string
): OwnJob[] {
  const isDrawn = (service: string) => service === 'graph'
  const own = chain.filter((step) => step.at === self)
  const once = (steps: typeof own): OwnJob[] =>
    steps.map(({ step, service }) => ({ step, round: 0, service }))
  const jobs = sections.flatMap((section): OwnJob[] => {
    const rows = own.filter(({ service }) => !isDrawn(service))
    if (section.as === 'data') return once(rows)
    if (section.as === 'recipient')
      return [
        ...once(own.filter(({ service }) => isDrawn(service))),
        { step: chain.length, round: 0, service: RESULT_SERVICE }
      ]
    const rounds = Math.min(
      section.union ? 1 : section.inputs.length,
      flows.filter((flow) => flow.from === self).length
    )
    return Array.from({ length: rounds }, (_, round) =>
      rows.map(({ step, service }) => ({ step, round, service }))
    ).flat()
  })
  const keys = new Set<string>()
  return jobs.filter(({ step, round }) => {
    const key = `${step}/${round}`
    if (keys.has(key)) return false
    keys.add(key)
    return true
  })
}
