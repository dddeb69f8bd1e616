import { Command, CommanderError } from 'commander'
import { COMMANDS } from './commands/index.ts'
import { type Context, createContext } from './context.ts'
import { type Doors, daemonDoors } from './doors.ts'
import { codeOf, EXIT, exitOf, explainError } from './exit.ts'
import type { Runner } from './options.ts'
import { pageOf } from './pages.ts'
import type { Terminal } from './terminal.ts'

declare const DYNAMOS_VERSION: string | undefined

const version = typeof DYNAMOS_VERSION === 'string' ? DYNAMOS_VERSION : 'from source'

const EXIT_CODES = `
Exit codes: 0 done, 2 wrong usage or a file that breaks its schema, 3 refused by a hop, 4 failed, 5 timed out`

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function contextFor(command: Command, terminal: Terminal, doors: Doors): Context {
  const options: Record<string, unknown> = command.optsWithGlobals()
  const [agent, token, config] = [text(options.agent), text(options.token), text(options.config)]
  return createContext({
    terminal,
    doors,
    json: options.json === true,
    connection: {
      ...(agent === undefined ? {} : { agent }),
      ...(token === undefined ? {} : { token }),
      ...(config === undefined ? {} : { config })
    }
  })
}

/**
 * Runs one command line.
 *
 * @param args without program and script
 * @returns the exit code; nothing is thrown
 */
export async function run(
  args: readonly string[],
  terminal: Terminal,
  doors: Doors = daemonDoors
): Promise<number> {
  let exit: number = EXIT.done
  const runner: Runner = (handler) =>
    async function (this: Command) {
      const context = contextFor(this, terminal, doors)
      exit = (await handler(context, { args: this.args, options: this.optsWithGlobals() })) ?? EXIT.done
    }
  const program = new Command('dynamos')
    .description('An agent that exchanges data with other organisations under agreements, without a hub.')
    .version(version)
    .option('--json', 'print exactly one JSON document; all else goes to standard error')
    .option('--agent <url>', 'the agent to talk to (default: DYNAMOS_AGENT, then agent.yaml)')
    .option('--token <file>', 'file with a token of that agent (default: DYNAMOS_TOKEN, then agent.yaml)')
    .option('--config <file>', 'configuration of the agent (default: ./agent.yaml)')
    .addHelpText('after', EXIT_CODES)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .showHelpAfterError('(--help tells more)')
    .exitOverride()
  for (const register of COMMANDS) register(program, runner)
  try {
    await program.parseAsync(args, { from: 'user' })
    return exit
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    const message = explainError(error, (terminal.env.DEBUG ?? '') !== '')
    const code = codeOf(error)
    terminal.err(`dynamos: ${message}\n`)
    // --help tells more about wrong usage than its page
    if (code !== 'usage' && pageOf(code) !== undefined)
      terminal.err(`see docs/errors/${code}.md, or: dynamos explain ${code}\n`)
    if (args.includes('--json'))
      terminal.out(`${JSON.stringify({ error: { code, message: explainError(error, false) } })}\n`)
    return exitOf(error)
  }
}
