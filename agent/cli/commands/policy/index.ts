import type { Register } from '../../options.ts'
import { collect } from '../../options.ts'

export const policyCommand: Register = (program, run) => {
  const policy = program
    .command('policy')
    .description(
      "the organisation's own rules, and those of an agreement: what they do before they are in force"
    )
  policy
    .command('show')
    .description('the rules in force at the agent, and whether its folder can be used as it is')
    .action(run(async (context) => await (await import('./show.ts')).show(context)))
  policy
    .command('reload')
    .description('read the folder again now; the agent does so by itself when a file changes')
    .action(run(async (context) => await (await import('./show.ts')).reload(context)))
  policy
    .command('schema')
    .description('every fact that rules can speak about, as a Cedar schema')
    .action(run(async (context) => await (await import('./schema.ts')).schema(context)))
  policy
    .command('lint')
    .argument(
      '[path]',
      'a folder or file with rules (.cedar), or an agreement with a `cedar` block (default: the rules in force)'
    )
    .description('rules that never fire, always fire, are made needless by others, or name what there is not')
    .action(run(async (context, input) => await (await import('./lint.ts')).lint(context, input)))
  policy
    .command('explain')
    .argument('<file>', 'a request file; - is standard input')
    .option('--agreement <file>', 'an agreement that is not in force; several may be named', collect)
    .option('--policy <folder>', 'a policy folder, or a file with rules')
    .option('--at <time>', 'when it would be asked, such as 2026-05-01T03:00:00Z (default: now)')
    .description(
      'what a data provider would be asked about a request, with which facts, and what each rule says; works without an agent when agreements are named'
    )
    .action(run(async (context, input) => await (await import('./explain.ts')).explain(context, input)))
  policy
    .command('simulate')
    .option('--agreement <file>', 'an agreement of this organisation that is not in force')
    .option('--policy <folder>', 'a policy folder, or a file with rules')
    .option('--since <time>', 'requests from then on, such as 2026-05-01 (default: all)')
    .description('past requests to this agent, decided again under a draft: the verdicts that would change')
    .action(run(async (context, input) => await (await import('./simulate.ts')).simulate(context, input)))
}
