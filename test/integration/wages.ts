import type { AgentSpec, Cell, DatasetSpec } from './harness.ts'

/** id, gender, birth, secret */
export type Person = [number, string, string, string]
/** id, wage */
export type Job = [number, number]

export interface Wages {
  person: Person[]
  job: Job[]
}

/** Wages of a few people; the numbers are made up, and the same at every run. */
export function wages(first: number, count: number): Wages {
  const ids = Array.from({ length: count }, (_, index) => first + index)
  return {
    person: ids.map((id) => [
      id,
      id % 3 === 0 ? 'F' : 'M',
      `${1950 + (id % 50)}-0${1 + (id % 9)}-11`,
      `secret-${id}`
    ]),
    job: ids.map((id) => [id, 1000 + ((id * 7919) % 4001) / 8])
  }
}

export function wageDataset(
  id: string,
  { person, job }: Wages,
  more: Partial<DatasetSpec> = {}
): DatasetSpec {
  return {
    id,
    tables: {
      person: {
        columns: { id: 'BIGINT', gender: 'VARCHAR', birth: 'DATE', secret: 'VARCHAR' },
        rows: person as Cell[][],
        subject: 'id'
      },
      job: { columns: { id: 'BIGINT', wage: 'DOUBLE' }, rows: job as Cell[][], subject: 'id' }
    },
    ...more
  }
}

export const ANALYST = 'analyst@uva.nl'
export const JOINED = 'SELECT p.gender, j.wage FROM person p JOIN job j USING (id)'
/** Ends no sooner than the job is killed. */
export const ENDLESS =
  'SELECT p.gender, j.wage FROM person p, person q, person r, person s, person t, person u, person v, job j WHERE p.id + q.id + r.id + s.id + t.id + u.id + v.id < j.wage * 0'
export const AVERAGE = { name: 'average', parameters: { value: 'wage', by: ['gender'] } }

/** An agreement that lets the analyst do all that the tests do by default. */
export function wageAgreement(provider: string, changes: Record<string, unknown> = {}): object {
  return {
    agreement: `wages-${provider.toLowerCase()}`,
    provider,
    dataset: 'wages',
    consumers: [{ user: ANALYST }],
    purposes: ['research'],
    archetypes: ['computeToData', 'dataThroughTtp'],
    computeProviders: ['SURF'],
    tables: { person: { columns: ['id', 'gender', 'birth'] }, job: { columns: ['id', 'wage'] } },
    algorithms: ['average', 'table'],
    ...changes
  }
}

export function wageRequest(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    user: ANALYST,
    purpose: 'research',
    datasets: ['wages'],
    query: JOINED,
    algorithm: AVERAGE,
    ...changes
  }
}

/** Who asks: holds nothing, and speaks for the analyst. */
export const UVA: AgentSpec = { name: 'UVA', users: [ANALYST, 'other@uva.nl'] }
export const SURF: AgentSpec = {
  name: 'SURF',
  roles: ['computeProvider'],
  more: { hosting: { for: '*', algorithms: '*' } }
}

export function provider(name: string, data: Wages, changes: Partial<AgentSpec> = {}): AgentSpec {
  return { ...holder(name, [wageDataset('wages', data)]), ...changes }
}

/** Who holds these datasets. */
export function holder(name: string, datasets: DatasetSpec[]): AgentSpec {
  return {
    name,
    roles: ['dataProvider'],
    users: [`steward@${name.toLowerCase()}.nl`],
    datasets
  }
}

/** Rows that `JOINED` gives. */
export function joined({ person, job }: Wages): [string, number][] {
  const wageOf = new Map(job)
  return person.flatMap(([id, gender]): [string, number][] => {
    const wage = wageOf.get(id)
    return wage === undefined ? [] : [[gender, wage]]
  })
}

/** What `AVERAGE` gives over the union: gender, average, count, in order of gender. */
export function averages(...parts: Wages[]): [string, number, number][] {
  const groups = new Map<string, number[]>()
  for (const [gender, wage] of parts.flatMap(joined))
    groups.set(gender, [...(groups.get(gender) ?? []), wage])
  return [...groups]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([gender, values]) => [
      gender,
      values.reduce((sum, value) => sum + value, 0) / values.length,
      values.length
    ])
}
