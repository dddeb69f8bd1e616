import { DynamosError } from '../../protocol/errors/index.ts'

/** One place in a file that is not as its schema says. Lines and columns count from 1; absent for values that came as objects. */
export interface ConfigProblem {
  line?: number
  column?: number
  /** `resources.memory`, `datasets[0]`; empty for the file as a whole. */
  path: string
  message: string
}

/** A name or path of whoever wrote the file may be as long as the file. */
const LONGEST = 500

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

function lineOf(file: string, problem: ConfigProblem): string {
  const place = problem.line === undefined ? file : `${file}:${problem.line}:${problem.column ?? 1}`
  return `${place}: ${problem.path === '' ? '' : `${problem.path}: `}${problem.message}`
}

/** A file that a user wrote breaks its schema. One line for each problem: file, line, column, key, what was expected. */
export class ConfigInvalid extends DynamosError {
  static override readonly name: string = 'ConfigInvalid'
  /** What the command line exits with: wrong usage. */
  readonly exitCode = 2
  readonly file: string
  readonly problems: readonly ConfigProblem[]

  constructor(file: string, found: readonly ConfigProblem[], options?: ErrorOptions) {
    const problems = found.map((problem) => ({
      ...problem,
      path: cut(problem.path),
      message: cut(problem.message)
    }))
    super('config-invalid', problems.map((problem) => lineOf(file, problem)).join('\n'), options)
    this.file = file
    this.problems = problems
  }
}

/** A request's own picture cannot be drawn, or may not: a code of its own, since nothing else of the request is wrong. */
export class GraphSpecificationInvalid extends ConfigInvalid {
  static override readonly name = 'GraphSpecificationInvalid'
  override readonly code: string = 'graph-specification'
}

/** A form that the schema reserves and that this version does not run. */
export class RequestTypeNotSupported extends DynamosError {
  static override readonly name = 'RequestTypeNotSupported'
  constructor(message: string) {
    super('request-type-not-supported', message)
  }
}
