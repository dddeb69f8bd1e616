/** What `init` knows; everything else is written as its default, or commented out. */
export interface InitialConfig {
  organisation: string
  roles?: readonly string[]
  listen?: readonly string[]
  bootstrap?: readonly string[]
  /** HOST:PORT */
  api?: string
  users?: readonly string[]
  datasets?: readonly string[]
}

/** The `agent.yaml` of a new agent: complete, and explained line by line. */
export function commentedAgentConfig(initial: InitialConfig): string {
  const list = (values: readonly string[] = []) =>
    `[${values.map((value) => JSON.stringify(value)).join(', ')}]`
  return `# The configuration of one agent. Paths are relative to this file.

organisation: ${JSON.stringify(initial.organisation)}

# What this organisation does for others: dataProvider, computeProvider, both; neither: it only asks.
roles: ${list(initial.roles)}

# Its membership of a marketplace, written by "dynamos marketplace install".
marketplace: membership.json

# Private keys, made by "dynamos init". The steward's key alone signs agreements; keep it elsewhere if people sign by hand.
identity:
  key: identity/agent.key
  steward: identity/steward.key

# State of the agent: requests, contracts, the log. One process at a time.
data: data

# Where other agents reach it. Behind a router or a firewall, announce what is reached from outside.
listen: ${list(initial.listen ?? ['/ip4/0.0.0.0/tcp/4001'])}
announce: []

# Agents to start from, as /ip4/…/tcp/…/p2p/PEER. Any agent of the marketplace will do; the first one needs none.
bootstrap: ${list(initial.bootstrap)}

# For people and programs of this organisation. Keep it on the loopback interface, or behind a proxy with TLS.
api:
  listen: ${JSON.stringify(initial.api ?? '127.0.0.1:7700')}
  token: token          # the token of the first user, or of the steward
  tokens: tokens.json   # the tokens of all users

# People this agent speaks for; its membership must cover them.
users: ${list(initial.users)}

# Who of them may lead agreements (propose, sign, refuse, revoke, publish) and who may reload the policy, with the token of their own;
# the others ask and read. Left out: the first of users does both. Nobody: [].
# stewards: [anna@example.org]
# operators: [omar@example.org]

# Files that describe its datasets; "dynamos dataset add" writes them.
datasets: ${list(initial.datasets)}

# Who may do what with them: one file for each agreement.
agreements: agreements/

# The organisation's own Cedar rules; they may only forbid.
policy: policy/

# A second engine over HTTP, asked in addition; it can only forbid, and no answer is a no.
# decisionPoint: {url: http://127.0.0.1:8181/, timeout: PT1S}

# Archetypes and services of its own, besides the built-in ones.
archetypes: archetypes/
services: services/

# What it offers and what it costs. Omitted cores and memory are the machine's.
# carbon: gCO2e/kWh. price: what others are told that an hour of CPU costs.
resources:
  # cores: 8
  # memory: 16GiB
  disk: 100GiB
  watts: {idle: 60, full: 180}
  carbon: 268
  # price: {cpuHour: 0.05, currency: EUR}

# Whom a computeProvider serves, and with which algorithms: names, or "*". Nothing is open by omission.
# perJob bounds every job on this machine, its own too.
hosting:
  for: []
  algorithms: []
  perJob: {memory: 4GiB, seconds: 900, disk: 20GiB}

# Whose results it takes although it did not ask for them (request: recipients: [this organisation]), and for which purposes:
# names, or "*". Nothing is open by omission.
receive: {for: [], purposes: []}

# required: jobs run in bubblewrap or not at all. none: no sandbox, and every offer says so.
sandbox: required

# none: a human signs agreements. all: this agent signs each by itself; only for a lab.
autoApprove: none
# What this agent may sign without asking a human, with the steward's key: what FROM proposed about DATASET, no wider than the
# clauses of the rule, which are those of an agreement. Nothing is open by omission.
autoSign: []
# - {from: VU, dataset: wageGap, purposes: [research], archetypes: [computeToData], algorithms: [average], tables: "*"}

# error, warn, info, debug, trace
log: info
`
}
