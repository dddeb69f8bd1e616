import type { AuditOperations } from '../api/index.ts'
import { type ExportComponents, exportRequest, LogWatch, parseEntry, rulesetOf } from '../audit/index.ts'
import type { Members } from '../membership/index.ts'
import type { RequestGuard, Speaker } from '../negotiation/index.ts'
import type { Foundations } from './foundations.ts'
import type { AgentSeams } from './seams.ts'
import { logStanding } from './standing-log.ts'

const DAY = 86_400_000
/** As long as documents about an ended exchange. */
const CHECKPOINT_LIFETIME = 3650 * DAY

/** Signs where this agent's log stands. */
function checkpointSigner(speaker: Speaker): ExportComponents['sign'] {
  return async (body) =>
    await speaker.sign('checkpoint', { organisation: speaker.organisation, ...body }, CHECKPOINT_LIFETIME)
}

/** Opens what belongs to the log before anything is written to it. */
export async function watchLog(
  base: Foundations,
  speaker: Speaker,
  { beforeStretch }: AgentSeams
): Promise<LogWatch> {
  await keepRulesets(base)
  await logStanding(base)
  const { store, self, clock, log, checkApart } = base
  return new LogWatch({
    store,
    self: self.peer,
    sign: checkpointSigner(speaker),
    clock,
    log,
    apart: checkApart,
    ...(beforeStretch === undefined ? {} : { breathe: beforeStretch })
  })
}

/** Rules under which something is decided are kept: whoever evaluates a decision again needs them. */
async function keepRulesets({ policies, store }: Foundations): Promise<void> {
  const keep = async (): Promise<void> => {
    const ruleset = rulesetOf(policies.engine.source)
    if (ruleset !== null) await store.rulesets.put(ruleset)
  }
  await keep()
  policies.onChange(() => void keep().catch(() => undefined))
}

/** For `/health`, and so for the doctor. What is wrong with it, and where, is told to the organisation's own people alone. */
export function logProblems({ broken }: LogWatch): string[] {
  return broken === null
    ? []
    : ['log-broken: the log is not as it was written; nothing new begins (dynamos audit verify)']
}

/** Nothing that others ask is taken up once the log is broken. */
export function guardedBy(watch: LogWatch, guard: RequestGuard): RequestGuard {
  return async (request, from) => {
    watch.assertIntact()
    await guard(request, from)
  }
}

/** The own log, for the organisation's people. */
export function createAuditOperations({
  watch,
  members,
  speaker,
  base: { store, self, clock }
}: {
  watch: LogWatch
  members: Members
  speaker: Speaker
  base: Foundations
}): AuditOperations {
  return {
    list: async ({ before = Number.MAX_SAFE_INTEGER, limit, ...wanted }) => {
      const lines = await store.log.latest({ before, limit, ...wanted })
      const last = lines.length < limit ? undefined : lines.at(-1)
      const entries = lines.map(async ({ sequence, head, entry: bytes }) => {
        const entry = parseEntry(bytes)
        const { time, kind, request = null, contract = null, document = null, fields } = entry
        const opening = kind === 'decision' && (await store.openings.get(sequence)) !== undefined
        const at = new Date(time).toISOString()
        return { sequence, head, time: at, kind, request, contract, document, fields, opening }
      })
      return { entries: await Promise.all(entries), next: last?.sequence ?? null }
    },
    export: (request, open) =>
      exportRequest(
        { store, self, standing: members, sign: checkpointSigner(speaker), clock },
        request,
        open
      ),
    verify: async (signal) => {
      const verdict = await watch.verify(signal)
      const last = await store.log.last()
      return {
        intact: verdict.intact,
        entries: last?.sequence ?? 0,
        head: last?.head ?? '0'.repeat(64),
        broken: verdict.intact ? null : { sequence: verdict.sequence, reason: verdict.reason }
      }
    },
    proofs: async () => {
      const found = await store.peerPositions.contradictions()
      const places = new Map<string, typeof found>()
      for (const one of found) {
        const place = `${one.peer}/${one.sequence}`
        places.set(place, [...(places.get(place) ?? []), one])
      }
      return [...places.values()].flatMap((statements) => {
        const [first] = statements
        if (first === undefined) return []
        const { peer, sequence } = first
        return [
          {
            peer,
            organisation: members.organisationOf(peer) ?? null,
            sequence,
            statements: statements.map(({ head, type, at, bytes }) => ({
              head,
              type,
              heard: new Date(at).toISOString(),
              document: Buffer.from(bytes).toString('base64')
            }))
          }
        ]
      })
    },
    acceptBreak: async (reason) => await watch.accept(reason)
  }
}
