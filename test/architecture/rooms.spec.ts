import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect } from 'chai'
import { type Import, importsOf, ROOT, roomSources, text } from './sources.ts'

/** Where each room's imports may lead. */
const DOWNWARDS: Readonly<Record<string, readonly string[]>> = {
  agent: ['agent/', 'services/', 'policy/', 'protocol/'],
  policy: ['policy/', 'protocol/documents/', 'protocol/errors/'],
  // What errors are made of knows nothing of peers; a suggestion follows one law wherever it is made
  services: ['services/', 'protocol/errors/'],
  protocol: ['protocol/']
}

/** Services whose code runs inside a job only. */
const INSIDE_JOBS = [
  'engine',
  'runner',
  'query',
  'inspect',
  'source',
  'sql',
  'failure',
  'algorithm',
  'aggregate',
  'draw'
]

/** Imports past a door, each with its reason. */
const PAST_THE_DOOR: Readonly<Record<string, string>> = {
  'agent/cli/exit.ts -> protocol/documents/codes.ts':
    'an exit code needs the list of codes, and --help shall not wait for zod schemas and libp2p'
}

const arrow = (one: Import) => `${one.from} -> ${one.to}`

/** The rooms that an import enters, outermost first. A folder without a door inside a room is part of that room. */
function entered(one: Import): string[] {
  const folders: string[] = []
  const from = `${dirname(one.from)}/`
  for (
    let folder = dirname(one.to);
    folder !== '.' && !from.startsWith(`${folder}/`);
    folder = dirname(folder)
  )
    folders.unshift(folder)
  return folders.filter((folder) => isRoom(folder))
}

function isRoom(folder: string): boolean {
  const depth = folder.split('/').length
  return depth === 2 || (depth > 2 && existsSync(join(ROOT, folder, 'index.ts')))
}

/** `services/index.ts` and `policy/index.ts` are doors of whole floors; else the first room entered has the door to take. */
function throughADoor(one: Import): boolean {
  const [room] = entered(one)
  return room === undefined || one.to === join(room, 'index.ts')
}

/** Files that lead back to themselves, in groups: Tarjan's strongly connected components (1972, SIAM J. Comput. 1). */
function circlesOf(arrows: readonly Import[]): string[][] {
  const to = new Map<string, string[]>()
  for (const one of arrows) to.set(one.from, [...(to.get(one.from) ?? []), one.to])
  const order = new Map<string, number>()
  const open: string[] = []
  const circles: string[][] = []
  const visit = (file: string): number => {
    const own = order.size
    order.set(file, own)
    open.push(file)
    let lowest = own
    for (const next of to.get(file) ?? [])
      if (!order.has(next)) lowest = Math.min(lowest, visit(next))
      else if (open.includes(next)) lowest = Math.min(lowest, order.get(next) ?? own)
    if (lowest === own) {
      const circle = open.splice(open.indexOf(file))
      if (circle.length > 1 || to.get(file)?.includes(file)) circles.push(circle.sort())
    }
    return lowest
  }
  for (const file of to.keys()) if (!order.has(file)) visit(file)
  return circles
}

describe('Rooms', () => {
  const imports = roomSources().flatMap(importsOf)
  const local = imports.filter((one) => one.local)

  it('import downwards only', () => {
    const upwards = local.filter((one) => {
      const allowed = DOWNWARDS[one.from.split('/')[0] ?? ''] ?? []
      return !allowed.some((prefix) => one.to.startsWith(prefix))
    })
    expect(upwards.map(arrow)).to.deep.equal([])
  })

  it('are entered through their doors', () => {
    const past = local.filter((one) => !throughADoor(one)).map(arrow)
    expect(past.filter((one) => PAST_THE_DOOR[one] === undefined)).to.deep.equal([])
  })

  it('have no exception that nobody needs any more', () => {
    const present = new Set(local.map(arrow))
    expect(Object.keys(PAST_THE_DOOR).filter((one) => !present.has(one))).to.deep.equal([])
  })

  it('hold no circle of files, not even by types', () => {
    expect(circlesOf(local)).to.deep.equal([])
  })

  it('name only files that exist', () => {
    expect(local.filter((one) => !existsSync(join(ROOT, one.to))).map(arrow)).to.deep.equal([])
  })

  it('keep the code of jobs out of the agent', () => {
    const inside = local.filter(
      (one) =>
        one.from.startsWith('agent/') && INSIDE_JOBS.some((name) => one.to.startsWith(`services/${name}/`))
    )
    expect(inside.map(arrow)).to.deep.equal([])
  })

  it('never load DuckDB, or what draws, into the daemon, however indirectly', () => {
    const byFile = new Map<string, Import[]>()
    for (const one of imports.filter(({ typeOnly }) => !typeOnly))
      byFile.set(one.from, [...(byFile.get(one.from) ?? []), one])
    const reached = new Set(roomSources().filter((path) => path.startsWith('agent/')))
    const packages: string[] = []
    for (const path of reached)
      for (const one of byFile.get(path) ?? []) {
        if (one.local) reached.add(one.to)
        else if (/^(@duckdb\/|vega|@resvg\/)/.test(one.to)) packages.push(arrow(one))
      }
    expect(packages).to.deep.equal([])
  })

  it('know nothing of the network below the agent and the protocol', () => {
    const network = imports.filter(
      (one) =>
        /^(policy|services)\//.test(one.from) &&
        // the one program of a data owner that has a network, and runs apart from all others
        !one.from.startsWith('services/connector/') &&
        !one.local &&
        /^(libp2p|@libp2p\/|@chainsafe\/|@multiformats\/|node:net|node:http|node:https|node:dgram|node:tls|fastify|pg)/.test(
          one.to
        )
    )
    expect(network.map(arrow)).to.deep.equal([])
  })

  it('leave clock, disk, network and chance out of policy', () => {
    const impure = imports.filter(
      (one) =>
        one.from.startsWith('policy/') &&
        /^(node:)(fs|net|http|https|child_process|os|worker_threads|timers)/.test(one.to)
    )
    const calls = roomSources()
      .filter(
        (path) =>
          path.startsWith('policy/') && /\b(Date\.now|Math\.random|randomBytes|new Date\(\))/.test(text(path))
      )
      .map((path) => relative('.', path))
    expect([...impure.map(arrow), ...calls]).to.deep.equal([])
  })

  it('let every entry point of the agent import the polyfill first', () => {
    const entries = roomSources().filter((path) => /^agent\/(.*\/)?main\.ts$/.test(path))
    expect(entries).to.include('agent/cli/main.ts')
    for (const path of entries) expect(importsOf(path)[0]?.to, path).to.equal('agent/polyfill.ts')
  })
})
