import type { Register } from '../../options.ts'

const DIR = 'folder of the lab'

export const labCommand: Register = (program, run) => {
  const lab = program.command('lab').description('many real agents on this machine, one process each')
  lab
    .command('up')
    .argument('<topology>', 'agents and agreements, YAML or JSON')
    .option('--dir <dir>', DIR, '.lab')
    .option('--driver <driver>', 'process, or netns (later)', 'process')
    .description('make marketplace, keys and memberships, start every agent, put every agreement in force')
    .action(run(async (context, input) => await (await import('./handler.ts')).up(context, input)))
  lab
    .command('status')
    .option('--dir <dir>', DIR, '.lab')
    .description('which agents run')
    .action(run(async (context, input) => await (await import('./handler.ts')).status(context, input)))
  lab
    .command('down')
    .option('--dir <dir>', DIR, '.lab')
    .option('--purge', 'also remove the folder')
    .description('stop every agent; keys and data stay')
    .action(run(async (context, input) => await (await import('./handler.ts')).down(context, input)))
}
