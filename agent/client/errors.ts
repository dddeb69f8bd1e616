import { DynamosError } from '../../protocol/errors/index.ts'
import type { Problem } from '../api/index.ts'

/** The agent said no; its own words and code. */
export class AgentSaysNo extends DynamosError {
  static override readonly name = 'AgentSaysNo'
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.code, problem.detail)
    this.problem = problem
  }
}

export class AgentUnreachable extends DynamosError {
  static override readonly name = 'AgentUnreachable'
  constructor(url: string, options?: ErrorOptions) {
    super(
      'agent-unreachable',
      `${url}: no agent answers there; start it with "dynamos agent run --config agent.yaml", or name another with --agent URL`,
      options
    )
  }
}

export class NotAnAgent extends DynamosError {
  static override readonly name = 'NotAnAgent'
  constructor(url: string, found: string, options?: ErrorOptions) {
    super(
      'not-an-agent',
      `${url}: expected an agent of this version, found ${found}; is the address right, and is the agent as new as this program?`,
      options
    )
  }
}
