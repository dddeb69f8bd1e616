import { availableParallelism, totalmem } from 'node:os'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { AgreementMalformed, byDomain, parseSigningRule } from '../../policy/index.ts'
import { anyOrNames, fields, type Hosting, type Resources, role } from '../../protocol/documents/index.ts'
import { checkSource, problemAt } from './check.ts'
import { decisionPoint, pointOf } from './decision-point.ts'
import { address, filePath, hostAndPort, listOf, peerAddress, userName } from './fields.ts'
import { readConfigFile } from './file.ts'
import { duration, scaled, size } from './quantities.ts'
import type { Source } from './source.ts'

const MILLI = 1e3
const MICRO = 1e6

const perJob = z.strictObject({
  memory: size.default(4 * 2 ** 30),
  seconds: z.int().positive().max(86_400).default(900),
  disk: size.default(20 * 2 ** 30)
})

/** `agent.yaml` as it is written. Everything but `organisation` has a default. */
export const agentFile = z.strictObject({
  organisation: fields.organisation,
  roles: listOf(role, 2).default([]),
  marketplace: filePath.default('membership.json'),
  identity: z
    .strictObject({
      key: filePath.default('identity/agent.key'),
      steward: filePath.default('identity/steward.key')
    })
    .prefault({}),
  data: filePath.default('data'),
  listen: listOf(address, 16).default(['/ip4/0.0.0.0/tcp/4001']),
  announce: listOf(address, 16).default([]),
  bootstrap: listOf(peerAddress, 64).default([]),
  api: z
    .strictObject({
      listen: hostAndPort.prefault('127.0.0.1:7700'),
      token: filePath.default('token'),
      tokens: filePath.default('tokens.json')
    })
    .prefault({}),
  users: listOf(userName, 256).default([]),
  stewards: listOf(userName, 256).optional(),
  operators: listOf(userName, 256).optional(),
  datasets: listOf(filePath, 256).default([]),
  agreements: filePath.default('agreements'),
  policy: filePath.default('policy'),
  archetypes: filePath.default('archetypes'),
  services: filePath.default('services'),
  resources: z
    .strictObject({
      cores: z.int().positive().max(65_536).optional(),
      memory: size.optional(),
      disk: size.default(100 * 2 ** 30),
      watts: z
        .strictObject({ idle: scaled(MILLI), full: scaled(MILLI) })
        .refine(({ idle, full }) => idle <= full, 'expected idle to be at most full')
        .prefault({ idle: 60, full: 180 }),
      carbon: z.union([scaled(MILLI), filePath]).prefault(268),
      price: z
        .strictObject({
          cpuHour: scaled(MICRO),
          currency: z.string().regex(/^[A-Z]{3}$/, 'expected an ISO 4217 code such as EUR')
        })
        .optional()
    })
    .prefault({}),
  hosting: z
    .strictObject({
      for: anyOrNames.default([]),
      algorithms: anyOrNames.default([]),
      perJob: perJob.prefault({})
    })
    .prefault({}),
  receive: z.strictObject({ for: anyOrNames.default([]), purposes: anyOrNames.default([]) }).prefault({}),
  decisionPoint: decisionPoint.optional(),
  sandbox: z.enum(['required', 'none']).default('required'),
  autoApprove: z.enum(['none', 'all']).default('none'),
  autoSign: listOf(z.looseObject({ from: fields.organisation, dataset: z.string().min(1) }), 64).default([]),
  audit: z.strictObject({ keep: duration.prefault('P3650D') }).prefault({}),
  log: z.enum(['error', 'warn', 'info', 'debug', 'trace']).default('info')
})

/** By organisation that asks and by purpose: results of others' requests that this organisation takes. */
export interface Receive {
  for: '*' | string[]
  purposes: '*' | string[]
}

export function takesResultsOf(
  receive: Receive,
  { organisation, purpose }: { organisation: string; purpose: string }
): boolean {
  const named = (names: '*' | readonly string[], name: string): boolean =>
    names === '*' || names.includes(name)
  return named(receive.for, organisation) && named(receive.purposes, purpose)
}

/** What an agent is told by its owner: paths absolute, quantities in base units, every default filled in. Plain data. */
export interface AgentConfig {
  /** The file it was read from, absolute. */
  file: string
  organisation: string
  roles: z.infer<typeof role>[]
  /** The membership document. It may not exist yet: `marketplace install` writes it. */
  marketplace: string
  /** Private key files: the agent's own, and the steward's that signs agreements. */
  identity: { key: string; steward: string }
  /** Folder of the agent's state; one process at a time owns it. */
  data: string
  listen: string[]
  announce: string[]
  bootstrap: string[]
  /** `token` holds the token of the first user (or the steward), `tokens` those of all; see `openTokens`. */
  api: { host: string; port: number; token: string; tokens: string }
  users: string[]
  /** Who of them leads agreements, and who runs the agent, through the API; absent: the first. */
  stewards?: string[]
  operators?: string[]
  /** Dataset files, see `loadDatasetFile`. */
  datasets: string[]
  agreements: string
  policy: string
  archetypes: string
  services: string
  resources: Resources
  /** Whom it serves as compute provider. `perJob` bounds its own jobs too. */
  hosting: Hosting
  /** Whose results it takes although it did not ask, and for which purposes. */
  receive: Receive
  /** A second engine, which can only forbid. `timeout` in milliseconds, `token` a file. */
  decisionPoint?: { url: string; timeout: number; token?: string }
  sandbox: 'required' | 'none'
  /** `all`: agreements are signed with the agent's own steward key without asking a human. For labs. */
  autoApprove: 'none' | 'all'
  /** What the agent may sign with the steward's key without asking a human; `parseSigningRule` reads each. */
  autoSign: { from: string; dataset: string; [clause: string]: unknown }[]
  /** How long it is kept what decisions rested on, in milliseconds. The log itself is never shortened. */
  audit: { keep: number }
  log: 'error' | 'warn' | 'info' | 'debug' | 'trace'
  /** What is allowed but probably not meant, for the log at start. */
  warnings: string[]
}

/** What the machine offers when the file does not say. */
export interface Machine {
  cores: number
  /** bytes */
  memory: number
}

export function thisMachine(): Machine {
  return { cores: availableParallelism(), memory: totalmem() }
}

function warningsFor(file: z.output<typeof agentFile>): string[] {
  const warnings: string[] = []
  const nobody = (value: string | string[]) => value.length === 0
  if (file.roles.includes('computeProvider')) {
    for (const clause of ['for', 'algorithms'] as const)
      if (nobody(file.hosting[clause]))
        warnings.push(
          `roles has computeProvider, but hosting.${clause} is omitted, and nothing is open by omission: no request will be hosted; write hosting.${clause}: "*" or a list`
        )
  }
  if (nobody(file.receive.for) !== nobody(file.receive.purposes))
    warnings.push(
      'receive names one of `for` and `purposes`, and nothing is open by omission: no result that others ask for is taken; write both, each "*" or a list'
    )
  if (file.datasets.length > 0 && !file.roles.includes('dataProvider'))
    warnings.push('datasets are listed, but roles lacks dataProvider: they will not be offered')
  if (file.sandbox === 'none')
    warnings.push('sandbox: none lets jobs reach files and network of this machine')
  return warnings
}

function rolesOf(
  file: z.output<typeof agentFile>,
  source: Source
): Pick<AgentConfig, 'stewards' | 'operators'> {
  const listed = (key: 'stewards' | 'operators') => {
    const named = file[key]
    named?.forEach((user, index) => {
      if (!file.users.includes(user))
        throw problemAt(source, [key, index], `expected one of users, found ${user}; list it there too`)
    })
    return named === undefined ? {} : { [key]: named }
  }
  return { ...listed('stewards'), ...listed('operators') }
}

function checkedRules(rules: AgentConfig['autoSign'], source: Source): AgentConfig['autoSign'] {
  rules.forEach((rule, index) => {
    try {
      parseSigningRule(rule, 'autoSign', byDomain)
    } catch (error) {
      if (!(error instanceof AgreementMalformed)) throw error
      const [first] = error.findings
      const clause = first?.clause === undefined || first.clause === '' ? '' : `${first.clause}: `
      throw problemAt(source, ['autoSign', index], `${clause}${first?.message ?? error.message}`)
    }
  })
  return rules
}

async function carbonOf(value: number | string, source: Source, base: string): Promise<number> {
  if (typeof value === 'number') return value
  const found = await readConfigFile(resolve(base, value)).catch((cause: unknown) => {
    throw problemAt(source, ['resources', 'carbon'], cause instanceof Error ? cause.message : String(cause))
  })
  return checkSource(found, scaled(MILLI))
}

/**
 * `agent.yaml`, checked and resolved.
 *
 * @param options.machine what `resources` falls back to
 * @throws {ConfigInvalid}
 */
export async function loadAgentConfig(
  path: string,
  options: { machine?: Machine } = {}
): Promise<AgentConfig> {
  const source = await readConfigFile(path)
  const file = checkSource(source, agentFile)
  const base = dirname(source.file)
  const absolute = (relative: string) => resolve(base, relative)
  const machine = options.machine ?? thisMachine()
  const { watts, price, ...resources } = file.resources
  return {
    file: source.file,
    organisation: file.organisation,
    roles: file.roles,
    marketplace: absolute(file.marketplace),
    identity: { key: absolute(file.identity.key), steward: absolute(file.identity.steward) },
    data: absolute(file.data),
    listen: file.listen,
    announce: file.announce,
    bootstrap: file.bootstrap,
    api: { ...file.api.listen, token: absolute(file.api.token), tokens: absolute(file.api.tokens) },
    users: file.users,
    ...rolesOf(file, source),
    datasets: file.datasets.map(absolute),
    agreements: absolute(file.agreements),
    policy: absolute(file.policy),
    archetypes: absolute(file.archetypes),
    services: absolute(file.services),
    resources: {
      cores: resources.cores ?? machine.cores,
      memory: resources.memory ?? machine.memory,
      disk: resources.disk,
      milliwatts: watts,
      carbon: await carbonOf(resources.carbon, source, base),
      ...(price === undefined ? {} : { price: { cpuHourMicros: price.cpuHour, currency: price.currency } })
    },
    hosting: file.hosting,
    receive: file.receive,
    ...(file.decisionPoint === undefined ? {} : { decisionPoint: pointOf(file.decisionPoint, absolute) }),
    sandbox: file.sandbox,
    autoApprove: file.autoApprove,
    autoSign: checkedRules(file.autoSign, source),
    audit: file.audit,
    log: file.log,
    warnings: warningsFor(file)
  }
}
