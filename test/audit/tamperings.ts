import { readFileSync } from 'node:fs'
import { type Draft, draftOf, exportOf } from './export-builder.ts'

type Fields = Record<string, unknown>

/** A change of one field by somebody who signs anew, and what a checker has to find. */
export interface Tampering {
  name: string
  /** A file of test/fixtures/audit; after a slash the parties whose exports are taken of it. */
  base: string
  code: string
  /** Found by a checker with a policy engine alone. */
  engine?: true
  change(drafts: Draft[]): void
  /** What is done to the bytes after all was signed. */
  after?(bytes: Uint8Array): Uint8Array
}

export const bytesOf = (name: string) =>
  readFileSync(new URL(`../fixtures/audit/${name}.audit`, import.meta.url))

/** The exports of some parties of a file, in the order of the file. */
function exportsOf(drafts: readonly Draft[], organisations: readonly string[]): Draft[] {
  let taken = false
  return drafts.filter((one) => {
    if (one.kind === 'other' && one.record.kind === 'header')
      taken = organisations.includes(one.record.organisation)
    return taken
  })
}

/** The document of an organisation, wherever it stands. */
export function documents(drafts: readonly Draft[], type: string, organisation?: string): Fields[] {
  const found = drafts.flatMap((one) =>
    one.kind === 'document' &&
    one.type === type &&
    (organisation === undefined || one.payload.organisation === organisation)
      ? [one.payload]
      : []
  )
  if (found.length === 0) throw new Error(`expected a ${type}`)
  return found
}

export const set = (type: string, organisation: string | undefined, values: Fields) => (drafts: Draft[]) => {
  for (const payload of documents(drafts, type, organisation)) Object.assign(payload, values)
}

export const within =
  (type: string, organisation: string | undefined, field: string, values: Fields) => (drafts: Draft[]) => {
    for (const payload of documents(drafts, type, organisation)) {
      const inner = payload[field]
      if (inner === null || typeof inner !== 'object') throw new Error(`expected ${field}`)
      Object.assign(inner, values)
    }
  }

/** Entries of one kind in the log of the first export, or of every one. */
export function entries(drafts: readonly Draft[], kind: string): { entry: Fields; fields: Fields }[] {
  return drafts.flatMap((one) => {
    if (one.kind !== 'entry' || one.entry.kind !== kind) return []
    const inner = one.entry.fields
    if (inner === null || typeof inner !== 'object') throw new Error('expected fields')
    const copy: Fields = { ...inner }
    one.entry.fields = copy
    return [{ entry: one.entry, fields: copy }]
  })
}

export const inEntry =
  (kind: string, change: (one: { entry: Fields; fields: Fields }) => void) => (drafts: Draft[]) => {
    const [first] = entries(drafts, kind)
    if (first === undefined) throw new Error(`expected a ${kind}`)
    change(first)
  }

export const decided =
  (question: string, change: (one: { entry: Fields; fields: Fields }) => void) => (drafts: Draft[]) => {
    for (const one of entries(drafts, 'decision')) if (one.fields.question === question) change(one)
  }

/** Twenty changes of one field. All else is as agents wrote it, and signed by whoever should. */
export const TAMPERINGS: readonly Tampering[] = [
  {
    name: 'the agreement is for other purposes',
    base: 'vu',
    code: 'agreement-basis',
    change: within('agreement', undefined, 'terms', { purposes: ['teaching'] })
  },
  {
    name: 'the agreement names another dataset',
    base: 'vu',
    code: 'agreement-basis',
    change: set('agreement', undefined, { dataset: 'salaries' })
  },
  {
    name: 'the agreement had ended',
    base: 'vu',
    code: 'agreement-basis',
    change: within('agreement', undefined, 'terms', { valid: { until: 1 } })
  },
  {
    name: 'the contract has another purpose than the request',
    base: 'vu',
    code: 'contract-mismatch',
    change: set('contract', undefined, { purpose: 'marketing' })
  },
  {
    name: 'the contract has other recipients than the request',
    base: 'vu',
    code: 'contract-mismatch',
    change: set('contract', undefined, { recipients: ['RUG'] })
  },
  {
    name: 'the contract is of a later epoch than its acceptances',
    base: 'vu',
    code: 'contract-mismatch',
    change: set('contract', undefined, { epoch: 2 })
  },
  {
    name: 'the contract asks for another algorithm',
    base: 'vu',
    code: 'contract-mismatch',
    change: set('contract', undefined, { algorithm: 'table' })
  },
  {
    name: 'a membership has ended before',
    base: 'vu',
    code: 'not-a-member',
    change: set('membership', 'VU', { expires: 1795544016085 })
  },
  {
    name: 'an acceptance is in the name of another organisation',
    base: 'vu',
    code: 'not-a-member',
    change: set('acceptance', 'VU', { organisation: 'RUG' })
  },
  {
    name: 'the terms of an acceptance are narrower than the contract',
    base: 'vu',
    code: 'terms-wider',
    change: within('acceptance', 'VU', 'resultTerms', { maxRows: 10 })
  },
  {
    name: 'the terms of the contract name another recipient alone',
    base: 'vu',
    code: 'terms-wider',
    change: within('contract', undefined, 'terms', { recipients: ['RUG'] })
  },
  {
    name: 'a receipt is for a step of somebody else',
    base: 'vu',
    code: 'receipt-mismatch',
    change: set('receipt', 'VU', { step: 2 })
  },
  {
    name: 'a receipt names inputs that nobody sent',
    base: 'joined',
    code: 'receipt-mismatch',
    change: set('receipt', 'SURF', { inputs: ['0'.repeat(64)] })
  },
  {
    name: 'the outcome rests on no receipt',
    base: 'joined',
    code: 'outcome-contradicted',
    change: set('outcome', undefined, { receipts: [] })
  },
  {
    name: 'what was accepted had been denied',
    base: 'vu',
    code: 'decision-denied',
    change: decided('accept', ({ fields }) => {
      fields.verdict = 'deny'
    })
  },
  {
    name: 'policy was asked something else before data left',
    base: 'vu',
    code: 'decision-missing',
    change: decided('send', ({ fields }) => {
      fields.question = 'continue'
    })
  },
  {
    name: 'started without all acceptances',
    base: 'vu',
    code: 'set-incomplete',
    change: inEntry('start', ({ fields }) => {
      fields.acceptances = []
    })
  },
  {
    name: 'started too late',
    base: 'vu',
    code: 'started-late',
    change: inEntry('start', ({ entry }) => {
      entry.time = 1795544999999
    })
  },
  {
    name: 'a job ran a third time',
    base: 'vu',
    code: 'ran-twice',
    change: inEntry('job-started', ({ fields }) => {
      fields.attempt = 3
    })
  },
  {
    name: 'other parts left than arrived',
    base: 'joined',
    code: 'flow-mismatch',
    change: inEntry('flow-sent', ({ fields }) => {
      fields.parts = ['1'.repeat(64)]
    })
  },
  {
    name: 'data went by a flow that the contract does not have',
    base: 'vu',
    code: 'flow-mismatch',
    change: inEntry('flow-sent', ({ fields }) => {
      fields.flow = 0
    })
  },
  {
    name: 'the entry that an acceptance names tells of something else',
    base: 'vu',
    code: 'position-contradicted',
    change: inEntry('acceptance', ({ entry }) => {
      entry.kind = 'decline'
    })
  },
  {
    name: 'an agreement was never signed by a steward',
    base: 'vu',
    code: 'agreement-unsigned',
    change: (drafts) => {
      for (const one of drafts)
        if (one.kind === 'document' && one.type === 'agreement') one.signers = one.signers.slice(0, 2)
    }
  }
]

export async function tampered({ base, change, after }: Tampering): Promise<Uint8Array> {
  const [name = '', parties] = base.split('/')
  const whole = await draftOf(bytesOf(name))
  const drafts = parties === undefined ? whole : exportsOf(whole, parties.split('+'))
  change(drafts)
  const bytes = await exportOf(drafts)
  return after === undefined ? bytes : after(bytes)
}

/** Single bytes, spread evenly over a file. */
export const FLIPS = Array.from({ length: 20 }, (_, index) => {
  const size = bytesOf('vu-open').byteLength
  return {
    name: `a flipped bit, ${index + 1} of 20`,
    base: 'vu-open',
    offset: Math.floor(((index + 0.5) * size) / 20)
  }
})
