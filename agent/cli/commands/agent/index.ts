import type { Register } from '../../options.ts'

export const agentCommand: Register = (program, run) => {
  program
    .command('agent')
    .description('the daemon')
    .command('run')
    .description('run the agent in the foreground; prints one line "ready" with peer id and API address')
    .action(run(async (context) => await (await import('./run.ts')).runAgent(context)))
}
