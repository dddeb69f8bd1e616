import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { equals } from 'uint8arrays'
import { parseAnswer, parseReport, partsOf } from '../../../agent/jobs/answer.ts'
import {
  openCharter,
  openJoinRequest,
  openMarketplace,
  openPackage,
  openProposal,
  parseStatusFile
} from '../../../agent/membership/index.ts'
import { DynamosError } from '../../../protocol/errors/index.ts'
import { Failure } from '../../../services/failure/index.ts'
import { assignment, report } from '../../../services/job/index.ts'
import { loadArchetypes, loadManifests } from '../../../services/manifests/index.ts'
import { takeCensus } from '../../../services/source/census.ts'
import { openCsv } from '../../../services/source/csv.ts'
import { describeCsvProblem } from '../../../services/source/ragged.ts'
import { RecordScanner } from '../../../services/source/records.ts'
import { ROOT } from '../../architecture/sources.ts'
import { CSV, JSONS, mutateText, YAML } from '../mutate-text.ts'
import { bytesOf, holds, type Target, textOf } from '../target.ts'
import { sampleOf } from './samples.ts'

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'dynamos-fuzz-file-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function own(path: string): Promise<Uint8Array> {
  return new Uint8Array(await readFile(join(ROOT, path)))
}

const archetype: Target = {
  name: 'file/archetype',
  mutate: mutateText(YAML),
  oneIn: 2,
  seeds: async () => [
    await own('services/archetypes/computeToData.yaml'),
    await own('services/archetypes/dataThroughTtp.yaml')
  ],
  read: async (bytes) =>
    await inFolder(async (folder) => {
      await writeFile(join(folder, 'a.yaml'), bytes)
      await loadArchetypes(folder)
    })
}

const manifest: Target = {
  name: 'file/manifest',
  mutate: mutateText(YAML),
  oneIn: 4,
  seeds: async () => [
    await own('services/query/manifest.yaml'),
    await own('services/algorithm/average/manifest.yaml'),
    await own('services/query/schema.json')
  ],
  read: async (bytes) =>
    await inFolder(async (folder) => {
      await mkdir(join(folder, 'query'))
      await mkdir(join(folder, 'algorithm', 'average'), { recursive: true })
      const places = ['query/manifest.yaml', 'query/schema.json', 'algorithm/average/manifest.yaml']
      for (const place of places) await writeFile(join(folder, place), bytes)
      await writeFile(join(folder, 'algorithm/average/schema.json'), '{"type":"object"}')
      await loadManifests(folder)
    })
}

/** A job says what is wrong with a file as a `Failure`, which the agent turns into an error of its own. */
function failureAsOurs(thrown: unknown): unknown {
  return thrown instanceof Failure ? new DynamosError(thrown.code, thrown.hint ?? thrown.code) : thrown
}

/** A file of CSV, as the profile of a dataset meets it: encoding, line ends, delimiter, ragged lines, a copy in order. */
const csv: Target = {
  name: 'file/csv',
  mutate: mutateText(CSV),
  oneIn: 2,
  seeds: async () =>
    [
      'a;b;c\r\n1;"x;y";2,5\r\n3;"li\r\nne";4\r\n',
      'a,b\r\r\n1,2\r\r\n3,4\r\r\n',
      '\uFEFFnaam\tloon\nJosé\t1\n',
      'a|b\r1|2\r3|4\r',
      'one column\n1\n2\n',
      '"a""b",c\n"",x\n'
    ]
      .map(bytesOf)
      .concat([
        new Uint8Array(Buffer.from('\uFEFFa;b\r\n1;é\r\n', 'utf16le')),
        new Uint8Array(Buffer.from('a;b\n1;\xe9\n', 'latin1'))
      ]),
  read: async (bytes) =>
    await inFolder(async (folder) => {
      const path = join(folder, 'in.csv')
      await writeFile(path, bytes)
      const census = await takeCensus(path)
      holds('every byte is counted', census.bytes === bytes.byteLength)
      const found = await openCsv({ name: 't', path, format: 'csv', columns: [] }, folder).catch(
        (thrown: unknown) => {
          throw failureAsOurs(thrown)
        }
      )
      await describeCsvProblem(found.path, found.shape)
      const whole = new RecordScanner(found.shape)
      const once = Buffer.concat([whole.copy(Buffer.from(bytes)), whole.end()])
      const pieces = new RecordScanner(found.shape)
      const cuts = Array.from({ length: Math.ceil(bytes.byteLength / 7) }, (_, index) =>
        pieces.copy(Buffer.from(bytes.subarray(index * 7, index * 7 + 7)))
      )
      holds('a file in pieces is read as the whole', equals(once, Buffer.concat([...cuts, pieces.end()])))
    })
}

const PART = { path: 'out/part-0.parquet', bytes: 10, rows: 1, digest: 'a'.repeat(64) }
const USAGE = { cpuSeconds: 0.1, maxRss: 1000 }

/** What a runner writes and the agent reads: an analyst's statement may have broken it. */
const runnerAnswer: Target = {
  name: 'file/job-answer',
  mutate: mutateText(JSONS),
  seeds: async () =>
    [
      ...report.options.map((option) => ({ report: sampleOf(option), usage: USAGE })),
      {
        report: {
          kind: 'query',
          columns: [{ name: 'a', type: 'BIGINT' }],
          parts: [PART],
          rows: 1,
          steps: []
        },
        usage: USAGE
      },
      { report: { kind: 'error', code: 'sql-runtime', message: 'x', position: 1 }, usage: USAGE }
    ].map((answer) => bytesOf(JSON.stringify(answer))),
  read(bytes) {
    const { report: found } = parseAnswer(textOf(bytes))
    partsOf(parseReport(found))
  }
}

/** What the agent writes and a runner reads. */
const order: Target = {
  name: 'file/job-assignment',
  mutate: mutateText(JSONS),
  seeds: async () => assignment.options.map((option) => bytesOf(JSON.stringify(sampleOf(option)))),
  read(bytes) {
    let value: unknown
    try {
      value = JSON.parse(textOf(bytes))
    } catch {
      return
    }
    const parsed = assignment.safeParse(value)
    if (!parsed.success) return
    const text = JSON.stringify(parsed.data)
    for (const [path] of text.matchAll(/"(?:path|earlier)":"(?:[^"\\]|\\.)*"/g))
      holds('no path leads upwards', !path.includes('..'))
  }
}

/** The files of marketplaces and members. */
const membership: Target = {
  name: 'file/membership',
  mutate: mutateText(JSONS),
  oneIn: 2,
  seeds: async () =>
    [
      { kind: 'dynamos-charter', version: 1, charter: { payload: {}, signed: 'oA==' } },
      { kind: 'dynamos-status', version: 1, status: { payload: {}, signed: 'oA==' } },
      {
        kind: 'dynamos-membership',
        version: 1,
        marketplace: 'x',
        membership: { payload: {}, signed: 'oA==' },
        charter: { payload: {}, signed: 'oA==' },
        status: { payload: {}, signed: 'oA==' },
        discoveryKey: 'a'.repeat(64)
      }
    ].map((value) => bytesOf(JSON.stringify(value))),
  async read(bytes) {
    const text = textOf(bytes)
    const readers = [
      openCharter,
      openPackage,
      openMarketplace,
      openProposal,
      parseStatusFile,
      openJoinRequest
    ]
    const refusals: unknown[] = []
    for (const open of readers) {
      try {
        await open(text)
        return
      } catch (thrown) {
        if (!(thrown instanceof DynamosError)) throw thrown
        refusals.push(thrown)
      }
    }
    throw refusals[0]
  }
}

export const fileTargets: readonly Target[] = [archetype, manifest, csv, runnerAnswer, order, membership]
