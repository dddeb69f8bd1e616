import type { Input, Register } from '../../options.ts'

function asksForForm({ options }: Input): boolean {
  return typeof options === 'object' && options !== null && 'as' in options && options.as !== undefined
}

export const agreementCommand: Register = (program, run) => {
  const agreement = program.command('agreement').description('who may do what with which dataset')
  agreement
    .command('check')
    .argument('<file>', 'the agreement, YAML or JSON; - is standard input')
    .option('--dataset <file>', 'compare with the tables of this dataset file, without an agent')
    .option('--beside <files...>', 'other agreements about the same dataset, without an agent')
    .description('say in words what a file permits, and what is wrong with it; works without an agent too')
    .action(run(async (context, input) => await (await import('./check.ts')).check(context, input)))
  agreement
    .command('sign')
    .argument('<file>', 'the agreement, YAML or JSON; - is standard input')
    .option('--key <file>', "the steward's key (default: the one of agent.yaml)")
    .option('--by-agent', 'let the agent sign, where its configuration says that it may')
    .option('--yes', 'do not ask again')
    .description('put an agreement in force, once every party signed; the same name again supersedes it')
    .action(run(async (context, input) => await (await import('./sign.ts')).sign(context, input)))
  agreement
    .command('list')
    .description('agreements this organisation is a party to')
    .action(run(async (context) => await (await import('./look.ts')).list(context)))
  agreement
    .command('show')
    .argument('<name>', 'its name or id; with --as also a file')
    .option('--as <form>', 'odrl, eflint or text; of a FILE too, without an agent')
    .description('an agreement in words')
    .action(
      run(async (context, input) =>
        asksForForm(input)
          ? await (await import('./show-as.ts')).showAs(context, input)
          : await (await import('./look.ts')).show(context, input)
      )
    )
}
