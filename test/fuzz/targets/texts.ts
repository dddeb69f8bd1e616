import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { agentFile } from '../../../agent/config/agent.ts'
import {
  checkSource,
  durationInMilliseconds,
  parseDataset,
  parseSubmission,
  parseTopology,
  readSource,
  sizeInBytes
} from '../../../agent/config/index.ts'
import { checkAgreement } from '../../../policy/agreement/check.ts'
import { readHierarchy } from '../../../policy/agreement/hierarchy.ts'
import { parseDuration, parseInstant } from '../../../policy/agreement/quantities.ts'
import {
  createCedarEngine,
  formatDuration,
  formatInstant,
  loadRuleReader,
  neverHolds,
  parseAgreement,
  parsePredicate,
  predicateColumns,
  printPredicate,
  writeAgreement
} from '../../../policy/index.ts'
import { ROOT } from '../../architecture/sources.ts'
import { CEDAR, CSV, DURATIONS, mutateText, PREDICATE, YAML } from '../mutate-text.ts'
import { bytesOf, holds, type Target, textOf } from '../target.ts'

async function file(path: string): Promise<Uint8Array> {
  return new Uint8Array(await readFile(join(ROOT, path)))
}

const DEMO = 'scripts/demo-data'
const WHOLE_AGREEMENT = `agreement: all-clauses
provider: VU
dataset: wageGap
consumers: [{user: {organisation: UVA, name: analyst}}, {organisation: UVA}]
purposes: [research]
archetypes: [computeToData]
computeProviders: [SURF]
recipients: "*"
tables:
  Personen: {columns: [Unieknr, Geslacht], where: "Peildat >= 20170101 and not (Geslacht in ('M', 'V'))"}
  Aanstellingen: {columns: "*"}
services: {require: [anonymize], forbid: [graph]}
algorithms: [average]
output: {unit: Unieknr, minGroupSize: 10, maxRows: 10000, aggregatesOnly: true}
anonymize: {pseudonymise: [Unieknr], generalise: {Gebdat: year}, suppress: [], k: 5}
limits: {requests: 100, per: P1D}
valid: {from: 2026-01-01, until: 2027-01-01}
sandbox: required
onward: none
revocation: {effect: stop, notice: PT0S}
timezone: Europe/Amsterdam
about: {legalBasis: x, reference: y}
cedar: |
  forbid (principal, action, resource) when { context.archetype == "dataThroughTtp" && context.hour < 6 };
`

const agreement: Target = {
  name: 'text/agreement',
  mutate: mutateText(YAML),
  seeds: async () => [
    bytesOf(WHOLE_AGREEMENT),
    await file(`${DEMO}/agreements/VU.yaml`),
    await file(`${DEMO}/agreements/VU-through-ttp.yaml`)
  ],
  async read(bytes) {
    const draft = parseAgreement(textOf(bytes), 'agreement.yaml', () => ({
      organisation: 'UVA',
      name: 'analyst'
    }))
    checkAgreement(draft, { archetypes: ['computeToData', 'dataThroughTtp'] })
    const written = writeAgreement(draft)
    const again = parseAgreement(written, 'again.yaml', () => undefined)
    holds(
      'an agreement that is written and read again has the same terms',
      sameJson(again.terms, draft.terms)
    )
  }
}

function sameJson(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

const request: Target = {
  name: 'text/request',
  mutate: mutateText(YAML),
  seeds: async () => [
    await file(`${DEMO}/requests/wage-gap.yaml`),
    bytesOf(
      'purpose: research\ndatasets: [wageGap]\nquery: SELECT 1\nalgorithm: {name: average, parameters: {value: Salschal, by: [Geslacht], at: 0.5}}\noptions: {graph: {mark: bar, encoding: {x: {field: a}}}}\nwithin: {time: PT5S, cost: 2}\noptimise: {energy: 1}\nagreements: {VU: a}\ndeadline: PT5M\n'
    )
  ],
  read: (bytes) => parseSubmission(textOf(bytes), 'request.yaml')
}

const dataset: Target = {
  name: 'text/dataset',
  mutate: mutateText(YAML),
  seeds: async () => [await file(`${DEMO}/datasets/VU.yaml`), await file(`${DEMO}/datasets/RUG.yaml`)],
  read: (bytes) => parseDataset(readSource(textOf(bytes), '/d/dataset.yaml'))
}

const agent: Target = {
  name: 'text/agent',
  mutate: mutateText(YAML),
  seeds: async () => [
    bytesOf(
      'organisation: SURF\nroles: [computeProvider]\nlisten: [/ip4/0.0.0.0/tcp/4001]\napi: {listen: 127.0.0.1:7700}\nresources: {cores: 8, memory: 16GiB, disk: 100GiB, watts: {idle: 60, full: 180}, carbon: 268, price: {cpuHour: 0.05, currency: EUR}}\nhosting: {for: "*", algorithms: "*", perJob: {memory: 4GiB, seconds: 900, disk: 20GiB}}\nsandbox: required\n'
    )
  ],
  read: (bytes) => checkSource(readSource(textOf(bytes), '/d/agent.yaml'), agentFile)
}

const topology: Target = {
  name: 'text/topology',
  mutate: mutateText(YAML),
  seeds: async () => [await file(`${DEMO}/topology.yaml`)],
  read: (bytes) => parseTopology(readSource(textOf(bytes), '/d/topology.yaml'))
}

const hierarchy: Target = {
  name: 'text/hierarchy',
  mutate: mutateText(YAML),
  seeds: async () => [
    bytesOf('1011;10**;NL\n1012;10**;NL\n'),
    bytesOf('a: [b, c]\nd: [e, f]\n'),
    bytesOf('a: b\n')
  ],
  read(bytes) {
    for (const name of ['h.csv', 'h.yaml']) readHierarchy(name, textOf(bytes), 1, 'other')
  }
}

const predicate: Target = {
  name: 'text/predicate',
  mutate: mutateText(PREDICATE),
  seeds: async () =>
    [
      "Peildat >= 20170101 and Functcat in ('HGL', 'UD')",
      'not (a is null or b between 1 and -2.5e3) and "x""y" <> date \'2026-01-31\'',
      'true',
      "not not (a = 'it''s') or b"
    ].map(bytesOf),
  read(bytes) {
    const tree = parsePredicate(textOf(bytes))
    predicateColumns(tree)
    neverHolds(tree)
    const printed = printPredicate(tree)
    holds('a predicate that is printed and read again is the same', sameJson(parsePredicate(printed), tree))
  }
}

const quantities: Target = {
  name: 'text/quantities',
  mutate: mutateText(DURATIONS),
  maxBytes: 4096,
  seeds: async () =>
    [
      'P1D',
      'PT0.5S',
      'P1DT2H',
      '2026-01-31',
      '2026-01-31T12:00:00Z',
      '2026-01-31T12:00:00+01:00',
      '4GiB'
    ].map(bytesOf),
  read(bytes) {
    const text = textOf(bytes)
    const size = sizeInBytes(text)
    holds('a size is a whole number', size === undefined || (Number.isSafeInteger(size) && size >= 0))
    const duration = durationInMilliseconds(text)
    holds('a duration is a whole number', duration === undefined || Number.isSafeInteger(duration))
    const agreed = parseDuration(text)
    if (agreed !== undefined)
      holds(
        'a duration that is written and read again is the same',
        parseDuration(formatDuration(agreed)) === agreed
      )
    for (const timezone of ['UTC', 'Europe/Amsterdam', 'Pacific/Apia']) {
      const instant = parseInstant(text, timezone)
      if (instant !== undefined)
        holds(
          'an instant that is written and read again is the same',
          parseInstant(formatInstant(instant), timezone) === instant
        )
    }
  }
}

const rules: Target = {
  name: 'text/cedar',
  mutate: mutateText(CEDAR),
  oneIn: 4,
  maxBytes: 16_384,
  seeds: async () =>
    [
      'forbid (principal, action, resource) when { context.archetype == "dataThroughTtp" && context.hour < 6 };',
      'forbid (principal, action == Action::"offer", resource) unless { ["research"].contains(context.purpose) };',
      '@id("night") @message("not at night")\nforbid (principal in Organisation::"UVA", action, resource);'
    ].map(bytesOf),
  async read(bytes) {
    const text = textOf(bytes)
    ruleReader ??= loadRuleReader()
    const reader = await ruleReader
    reader.agreement(text)
    reader.folder([{ file: 'own.cedar', text }])
    await createCedarEngine([{ file: 'own.cedar', text }])
  }
}
let ruleReader: ReturnType<typeof loadRuleReader> | undefined

export const textTargets: readonly Target[] = [
  agreement,
  request,
  dataset,
  agent,
  topology,
  hierarchy,
  { ...hierarchy, name: 'text/hierarchy-csv', mutate: mutateText(CSV) },
  predicate,
  quantities,
  rules
]
