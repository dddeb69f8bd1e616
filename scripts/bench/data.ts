import { createWriteStream } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

export const PROVIDERS = ['Alpha', 'Beta', 'Gamma'] as const
export type Provider = (typeof PROVIDERS)[number]

const OCCUPATIONS = ['management', 'sales', 'clerical', 'service', 'professional', 'other']

/** Mulberry32: small, seeded, good enough for wages. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function* persons(rows: number, seed: number): Generator<string> {
  const random = generator(seed)
  yield 'id,gender,age\n'
  for (let id = 1; id <= rows; id += 1)
    yield `${id},${random() < 0.5 ? 'female' : 'male'},${18 + Math.floor(random() * 50)}\n`
}

function* jobs(rows: number, seed: number): Generator<string> {
  const random = generator(seed ^ 0x5bd1e995)
  yield 'id,wage,occupation\n'
  // in another order than the persons, as two systems would export them
  for (let index = 0; index < rows; index += 1) {
    const id = ((index * 7919) % rows) + 1
    yield `${id},${(4 + random() * 40).toFixed(2)},${OCCUPATIONS[Math.floor(random() * OCCUPATIONS.length)]}\n`
  }
}

const DATASET = `id: wages
title: Generated wages
tables:
  person:
    path: person.csv
    subject: id
    columns:
      id: {type: BIGINT}
      gender: {type: VARCHAR}
      age: {type: BIGINT, unit: years}
  job:
    path: job.csv
    subject: id
    columns:
      id: {type: BIGINT}
      wage: {type: DOUBLE, unit: USD/hour}
      occupation: {type: VARCHAR}
`

const agreement = (provider: Provider) => ({
  agreement: 'wages',
  provider,
  dataset: 'wages',
  consumers: [{ organisation: 'Asker' }],
  purposes: ['research'],
  archetypes: ['computeToData', 'dataThroughTtp'],
  computeProviders: ['Host'],
  tables: { person: { columns: ['id', 'gender', 'age'] }, job: { columns: ['id', 'wage', 'occupation'] } },
  algorithms: ['average', 'crosstab', 'histogram', 'regression', 'table'],
  sandbox: 'required'
})

export const QUERY = 'SELECT p.gender, j.wage FROM person p JOIN job j USING (id)'

export const AVERAGE = { name: 'average', parameters: { value: 'wage', by: ['gender'] } }

export const request = (archetype: string, query = QUERY, algorithm: object = AVERAGE) => ({
  purpose: 'research',
  datasets: ['wages'],
  providers: [...PROVIDERS],
  query,
  algorithm,
  archetype
})

export const pathOf = (dir: string, provider: Provider, table: 'person' | 'job') =>
  join(dir, provider, `${table}.csv`)

/**
 * Files of a lab of five: three providers with `rows` seeded rows in each of two tables, one that asks, one that computes.
 *
 * @returns the topology's path
 */
export async function writeInputs(dir: string, rows: number): Promise<string> {
  for (const [index, provider] of PROVIDERS.entries()) {
    await mkdir(join(dir, provider), { recursive: true })
    await writeFile(join(dir, provider, 'dataset.yaml'), DATASET)
    const seed = 1985 + index
    await pipeline(Readable.from(persons(rows, seed)), createWriteStream(pathOf(dir, provider, 'person')))
    await pipeline(Readable.from(jobs(rows, seed)), createWriteStream(pathOf(dir, provider, 'job')))
  }
  const topology = {
    marketplace: { name: 'bench' },
    agents: [
      { name: 'Host', roles: ['computeProvider'], hosting: { for: '*', algorithms: '*' } },
      { name: 'Asker', users: ['analyst@asker.example'] },
      ...PROVIDERS.map((name) => ({ name, roles: ['dataProvider'], datasets: [`${name}/dataset.yaml`] }))
    ],
    agreements: PROVIDERS.map(agreement)
  }
  const file = join(dir, 'topology.json')
  await writeFile(file, JSON.stringify(topology))
  return file
}
