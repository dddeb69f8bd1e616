import type { Register } from '../../options.ts'

export const approvalsCommand: Register = (program, run) => {
  const approvals = program.command('approvals').description('requests that wait for your approval')
  approvals
    .command('list')
    .description('what waits for you: who asks what, under which agreement, and until when')
    .action(run(async (context) => await (await import('./list.ts')).list(context)))
  approvals
    .command('approve')
    .argument('<id>', 'the request')
    .description('approve exactly this request: it goes on at once')
    .action(run(async (context, input) => await (await import('./decide.ts')).approve(context, input)))
  approvals
    .command('refuse')
    .argument('<id>', 'the request')
    .requiredOption('--reason <text>', 'told to those who asked')
    .description(
      'refuse a request, or take an approval back: what has not started is declined, what runs is stopped'
    )
    .action(run(async (context, input) => await (await import('./decide.ts')).refuse(context, input)))
}
