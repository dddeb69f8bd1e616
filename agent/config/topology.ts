import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { fields } from '../../protocol/documents/index.ts'
import { agentFile } from './agent.ts'
import { checkSource, problemAt } from './check.ts'
import { filePath } from './fields.ts'
import { readConfigFile } from './file.ts'
import type { Source } from './source.ts'

const { name, organisation } = fields
const anyMap = z.record(z.string(), z.unknown())

/** Several agents and what they agreed, for a lab. */
export const topologyFile = z.strictObject({
  marketplace: z.strictObject({ name }),
  agents: z
    .array(z.strictObject({ ...agentFile.shape, name: organisation, organisation: organisation.optional() }))
    .min(1)
    .max(256),
  agreements: z
    .array(z.union([filePath, anyMap]))
    .max(1024)
    .default([])
})

export interface TopologyAgent {
  /** Unique in the topology; names the agent's folder. */
  name: string
  /** What to write as its `agent.yaml`: as the user wrote it, `organisation` filled in, paths absolute. */
  settings: { organisation: string } & Record<string, unknown>
}

/** An agreement of a topology: a file, or its content written in place (checked by whoever reads agreements). */
export type TopologyAgreement = { file: string } | { inline: Record<string, unknown>; line?: number }

export interface Topology {
  /** The file it was read from, absolute. */
  file: string
  marketplace: { name: string }
  agents: TopologyAgent[]
  agreements: TopologyAgreement[]
}

const PATH_KEYS = ['marketplace', 'data', 'agreements', 'policy', 'archetypes', 'services']
const NESTED_PATH_KEYS: Readonly<Record<string, readonly string[]>> = {
  identity: ['key', 'steward'],
  api: ['token', 'tokens'],
  resources: ['carbon']
}

function withAbsolutePaths(settings: Record<string, unknown>, base: string): Record<string, unknown> {
  const absolute = (value: unknown) => (typeof value === 'string' ? resolve(base, value) : value)
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => {
      if (PATH_KEYS.includes(key)) return [key, absolute(value)]
      if (key === 'datasets' && Array.isArray(value)) return [key, value.map(absolute)]
      const inner = NESTED_PATH_KEYS[key]
      const map = anyMap.safeParse(value)
      if (inner === undefined || !map.success) return [key, value]
      return [
        key,
        Object.fromEntries(
          Object.entries(map.data).map(([name, item]) => [name, inner.includes(name) ? absolute(item) : item])
        )
      ]
    })
  )
}

export function parseTopology(source: Source): Topology {
  const file = checkSource(source, topologyFile)
  const base = dirname(source.file)
  const written = checkSource(source, z.looseObject({ agents: z.array(anyMap) }))
  const seen = new Set<string>()
  const agents = file.agents.map((agent, index): TopologyAgent => {
    if (seen.has(agent.name.toLowerCase()))
      throw problemAt(source, ['agents', index, 'name'], `${agent.name} names two agents`)
    seen.add(agent.name.toLowerCase())
    const { name: _name, ...settings } = written.agents[index] ?? {}
    return {
      name: agent.name,
      settings: {
        ...withAbsolutePaths(settings, base),
        organisation: agent.organisation ?? agent.name
      }
    }
  })
  const agreements = file.agreements.map((agreement, index): TopologyAgreement => {
    if (typeof agreement === 'string') return { file: resolve(base, agreement) }
    const place = source.place(['agreements', index])
    return place === undefined ? { inline: agreement } : { inline: agreement, line: place.line }
  })
  return { file: source.file, marketplace: file.marketplace, agents, agreements }
}

/** @throws {ConfigInvalid} */
export async function loadTopology(path: string): Promise<Topology> {
  return parseTopology(await readConfigFile(path))
}
