import type { Register } from '../../options.ts'

export const auditCommand: Register = (program, run) => {
  const audit = program
    .command('audit')
    .description(
      "the agent's log: what happened here, whether it is as it was written, and exports for auditors"
    )
  audit
    .command('list')
    .option('--request <id>', 'entries about one request')
    .option('--kind <kind>', 'entries of one kind, such as decision or receipt')
    .option('--limit <count>', 'how many (default: 100)')
    .option('--before <sequence>', 'those before an entry')
    .option('--proofs', 'agents that signed two heads for one place in their log')
    .description('the latest entries of the log')
    .action(run(async (context, input) => await (await import('./list.ts')).list(context, input)))
  audit
    .command('verify')
    .description('read the whole log and name the first entry that is not as it was written')
    .action(run(async (context) => await (await import('./verify.ts')).verify(context)))
  audit
    .command('accept-break')
    .requiredOption('--reason <text>', 'what was found out about it; it is kept in the log')
    .description('go on with a log that is broken: what comes from now on counts again')
    .action(run(async (context, input) => await (await import('./verify.ts')).acceptBreak(context, input)))
  audit
    .command('export')
    .argument('<request>', 'id of a request that this agent took part in')
    .requiredOption('--out <file>', 'the file to write')
    .option(
      '--open <entries>',
      'show what decisions rested on: all, or numbers of entries with commas between them'
    )
    .description('everything that this agent may show of a request, for an auditor')
    .action(run(async (context, input) => await (await import('./export.ts')).exportTo(context, input)))
  audit
    .command('open')
    .argument('<file>', 'an export of this agent')
    .requiredOption('--out <file>', 'the file to write')
    .option(
      '--open <entries>',
      'which decisions: all (default), or numbers of entries with commas between them'
    )
    .description('a new export of the same request that also shows what decisions rested on')
    .action(run(async (context, input) => await (await import('./export.ts')).openTo(context, input)))
  audit
    .command('join')
    .argument('<files...>', 'exports of several parties about one request')
    .requiredOption('--out <file>', 'the file to write')
    .description('put the exports of several parties into one file, unchanged')
    .action(run(async (context, input) => await (await import('./join.ts')).join(context, input)))
  audit
    .command('check')
    .argument('<file>', 'an export, or several joined')
    .option('--html <out>', 'also write the answer as a page, with the exchange drawn')
    .description('whether all that it tells followed the rules; needs no agent, exit code 4 where not')
    .action(run(async (context, input) => await (await import('./check.ts')).check(context, input)))
}
