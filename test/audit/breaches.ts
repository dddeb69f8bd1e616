import type { Draft } from './export-builder.ts'
import { decided, documents, entries, inEntry, set, type Tampering } from './tamperings.ts'

type DraftOf<K extends Draft['kind']> = Extract<Draft, { kind: K }>
const OTHER_ID = `bafyrei${'b'.repeat(52)}`

function first<K extends Draft['kind']>(drafts: readonly Draft[], kind: K): DraftOf<K> {
  const found = drafts.find((one): one is DraftOf<K> => one.kind === kind)
  if (found === undefined) throw new Error(`expected a ${kind}`)
  return found
}

/** A document once more, with other values. */
function again(drafts: Draft[], type: string, organisation: string, values: Record<string, unknown>): void {
  const at = drafts.findIndex(
    (one) => one.kind === 'document' && one.type === type && one.payload.organisation === organisation
  )
  const known = drafts[at]
  if (known?.kind !== 'document') throw new Error(`expected a ${type}`)
  drafts.splice(at + 1, 0, {
    ...known,
    was: `${known.was} again`,
    payload: { ...known.payload, ...values }
  })
}

/** The peer ids of an organisation's documents and exports. */
function peerIn(drafts: readonly Draft[], organisation: string): unknown {
  return documents(drafts, 'acceptance', organisation)[0]?.issuer
}

/** What breaks the rules about records and logs, and those of the acts and documents that {@link TAMPERINGS} leave out: a file for every finding. */
export const BREACHES: readonly Tampering[] = [
  {
    name: 'a document of a form that nobody knows',
    base: 'vu',
    code: 'document-malformed',
    change: () => undefined,
    after: (bytes) => replaced(bytes, 'startBy', 'startBx')
  },
  {
    name: 'a header inside of an export',
    base: 'vu',
    code: 'export-malformed',
    change: (drafts) => {
      const [header] = drafts
      if (header !== undefined) drafts.splice(1, 0, header)
    }
  },
  {
    name: 'an acceptance is signed by somebody else than its issuer',
    base: 'vu',
    code: 'bad-signature',
    change: (drafts) => {
      const peer = peerIn(drafts, 'RUG')
      for (const one of drafts)
        if (one.kind === 'document' && one.type === 'acceptance' && one.payload.organisation === 'VU')
          one.signers = [String(peer)]
    }
  },
  {
    name: 'an acceptance is of another marketplace',
    base: 'vu',
    code: 'marketplace-differs',
    change: set('acceptance', 'VU', { marketplace: OTHER_ID })
  },
  {
    name: 'the second export is of another request',
    base: 'three/VU+SURF',
    code: 'request-differs',
    change: (drafts) => {
      const header = drafts.findLast((one) => one.kind === 'other' && one.record.kind === 'header')
      if (header?.kind === 'other' && header.record.kind === 'header')
        header.record = { ...header.record, request: OTHER_ID }
    }
  },
  {
    name: 'the second export is of another marketplace',
    base: 'three/VU+SURF',
    code: 'marketplace-differs',
    change: (drafts) => {
      const header = drafts.findLast((one) => one.kind === 'other' && one.record.kind === 'header')
      if (header?.kind === 'other' && header.record.kind === 'header')
        header.record = { ...header.record, marketplace: OTHER_ID }
    }
  },
  {
    name: 'a section that no document names',
    base: 'vu',
    code: 'section-unknown',
    change: (drafts) => {
      const section = first(drafts, 'section')
      section.was = 'nothing'
      section.salt = new Uint8Array(16)
    }
  },
  {
    name: 'a contract was committed to a section that names no agreement',
    base: 'vu',
    code: 'section-malformed',
    change: (drafts) => {
      for (const one of drafts)
        if (one.kind === 'section' && Array.isArray(one.content))
          one.content = [{ as: 'data', agreements: [] }]
    }
  },
  {
    name: 'two entries have changed places',
    base: 'vu',
    code: 'chain-broken',
    change: (drafts) => {
      const at = drafts.findIndex(({ kind }) => kind === 'entry')
      const [one, other] = [drafts[at], drafts[at + 1]]
      if (one !== undefined && other !== undefined) drafts.splice(at, 2, other, one)
    }
  },
  {
    name: 'an entry is of another request',
    base: 'vu',
    code: 'entry-malformed',
    change: inEntry('start', ({ entry }) => {
      entry.request = OTHER_ID
    })
  },
  {
    name: 'an opening is not what was committed to',
    base: 'vu-open',
    code: 'opening-mismatch',
    change: (drafts) => {
      const opening = first(drafts, 'opening')
      opening.apart = true
      opening.salt = new Uint8Array(16)
    }
  },
  {
    name: 'a decision was committed to nonsense',
    base: 'vu-open',
    code: 'opening-malformed',
    change: (drafts) => {
      first(drafts, 'opening').content = new TextEncoder().encode('nonsense')
    }
  },
  {
    name: 'a decision was committed to facts that lack something',
    base: 'vu-open',
    code: 'opening-malformed',
    change: (drafts) => {
      withCalls(drafts, (facts) => {
        delete facts.purpose
      })
    }
  },
  {
    name: 'rules under the id of others',
    base: 'vu-open',
    code: 'policy-mismatch',
    change: (drafts) => {
      for (const one of drafts)
        if (one.kind === 'other' && one.record.kind === 'policy')
          one.record = { ...one.record, engine: 'cedar 0.0.1' }
    }
  },
  {
    name: 'the end is in the name of another organisation',
    base: 'vu',
    code: 'export-altered',
    change: (drafts) => {
      first(drafts, 'end').payload.organisation = 'RUG'
    }
  },
  {
    name: 'the end is missing',
    base: 'vu',
    code: 'export-truncated',
    change: (drafts) => {
      drafts.pop()
    }
  },
  {
    name: 'the file was cut inside of a record',
    base: 'vu',
    code: 'export-truncated',
    change: () => undefined,
    after: (bytes) => bytes.subarray(0, bytes.byteLength - 7)
  },
  {
    name: 'an acceptance and a receipt name one entry with two heads',
    base: 'uva',
    code: 'equivocation',
    change: (drafts) => {
      const [acceptance] = documents(drafts, 'acceptance', 'VU')
      const log = acceptance?.log
      if (log === null || typeof log !== 'object') throw new Error('expected a position')
      set('receipt', 'VU', { log: { ...log, head: 'f'.repeat(64) } })(drafts)
    }
  },
  {
    name: 'the end says that the log is shorter than an acceptance says',
    base: 'vu',
    code: 'end-cut-off',
    change: (drafts) => {
      const { sequence, was } = first(drafts, 'entry')
      first(drafts, 'end').payload.log = { sequence, head: was }
    }
  },
  {
    name: 'an agent had been expelled before it accepted',
    base: 'vu',
    code: 'expelled',
    change: (drafts) => {
      const peer = peerIn(drafts, 'RUG')
      set('status', undefined, { expelled: [{ peer, since: 1 }] })(drafts)
    }
  },
  {
    name: 'one party accepted two contracts of one epoch',
    base: 'uva',
    code: 'acceptance-twice',
    change: (drafts) => again(drafts, 'acceptance', 'RUG', { contract: OTHER_ID })
  },
  {
    name: 'one party signed two outcomes',
    base: 'vu',
    code: 'outcome-twice',
    change: (drafts) => again(drafts, 'outcome', 'UVA', { position: 7 })
  },
  {
    name: 'a job ran without a start',
    base: 'vu',
    code: 'ran-before-start',
    change: inEntry('start', ({ entry }) => {
      entry.kind = 'config'
    })
  },
  {
    name: 'a result left of which another one had been released',
    base: 'three/SURF',
    code: 'not-released',
    change: set('release', 'VU', { result: OTHER_ID })
  },
  {
    name: 'a result left whose release had been refused',
    base: 'three/SURF',
    code: 'not-released',
    change: set('release', 'VU', { refused: 'release-refused' })
  },
  {
    name: 'what was sent arrived nowhere',
    base: 'three/VU+SURF',
    code: 'flow-unpaired',
    change: (drafts) => {
      const peer = peerIn(drafts, 'VU')
      for (const { entry, fields } of entries(drafts, 'flow-received'))
        if (fields.peer === peer) entry.kind = 'config'
    }
  },
  {
    name: 'a permission rests on a denial beside the rules',
    base: 'vu-open',
    code: 'decision-differs',
    change: (drafts) => {
      const opening = first(drafts, 'opening')
      if (opening.content === null || typeof opening.content !== 'object') throw new Error('expected a map')
      opening.content = { ...opening.content, besides: 'overloaded' }
    }
  },
  {
    name: 'a permission rests on facts that the rules deny',
    base: 'vu-open',
    code: 'decision-differs',
    engine: true,
    change: (drafts) => {
      withCalls(drafts, (facts) => {
        facts.purpose = 'advertising'
      })
    }
  },
  {
    name: 'a decision says deny, and rests on facts that permit',
    base: 'three/SURF',
    code: 'decision-differs',
    engine: true,
    change: decided('host', ({ fields }) => {
      fields.verdict = 'deny'
    })
  },
  {
    name: 'an agreement was taken of a standing offer that is for others',
    base: 'three/UT',
    code: 'agreement-unsigned',
    change: (drafts) => {
      for (const payload of documents(drafts, 'agreement')) {
        const { standing } = payload
        if (standing !== null && typeof standing === 'object' && 'payload' in standing)
          Object.assign(Object(standing.payload), { takers: ['RUG'] })
      }
    }
  },
  {
    name: 'a party rests on the offer of another, and the request is not in the file',
    base: 'three/UVA',
    code: 'contract-mismatch',
    change: (drafts) => {
      const at = drafts.findIndex((one) => one.kind === 'document' && one.type === 'request')
      drafts.splice(at, 1)
      drafts.splice(
        0,
        drafts.length,
        ...drafts.filter((one) => one.kind !== 'section' || !isQuery(one.content))
      )
      set('offer', 'VU', { request: OTHER_ID })(drafts)
    }
  }
]

/** The opening of the query part, which nothing names when the request is not there. */
function isQuery(content: unknown): boolean {
  return content !== null && typeof content === 'object' && 'sql' in content
}

function withCalls(drafts: Draft[], change: (facts: Record<string, unknown>) => void): void {
  const { content } = first(drafts, 'opening')
  if (content === null || typeof content !== 'object' || !('calls' in content))
    throw new Error('expected calls')
  const { calls } = content
  if (!Array.isArray(calls)) throw new Error('expected calls')
  for (const { facts } of calls) change(facts)
}

function replaced(bytes: Uint8Array, text: string, other: string): Uint8Array {
  const at = Buffer.from(bytes).indexOf(text)
  const changed = Uint8Array.from(bytes)
  changed.set(Buffer.from(other), at)
  return changed
}
