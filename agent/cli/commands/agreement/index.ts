import { collect, type Input, type Register } from '../../options.ts'

function asksForForm({ options }: Input): boolean {
  return typeof options === 'object' && options !== null && 'as' in options && options.as !== undefined
}

export const agreementCommand: Register = (program, run) => {
  const agreement = program.command('agreement').description('who may do what with which dataset')
  agreement
    .command('draft')
    .option('--template <name>', 'compute-to-data, trusted-third-party, universities, airlines or buildings')
    .option('--name <name>', 'what to call it (default: DATASET-YEAR)')
    .option('--provider <organisation>', 'whose data (default: this organisation)')
    .option('--dataset <id>', 'its columns are taken from its description, when an agent is reachable')
    .option('--consumer <organisation>', 'who may ask: an organisation or a user; may be repeated', collect)
    .option('--purpose <purpose>', 'what for; may be repeated', collect)
    .option('--algorithm <name>', 'in place of those of the template; may be repeated', collect)
    .option('--compute-provider <organisation>', 'who may hold the data besides; may be repeated', collect)
    .option(
      '--approver <user>',
      'who of the provider approves requests; may be repeated (default: nobody)',
      collect
    )
    .option('--until <date>', 'when it ends, such as 2027-01-01 (default: a year from now)')
    .option('--out <file>', 'where to write it (default: standard output)')
    .description('write a commented agreement from a template; asks on a terminal what no option says')
    .action(run(async (context, input) => await (await import('./draft.ts')).draft(context, input)))
  agreement
    .command('check')
    .argument('<file>', 'the agreement, YAML or JSON; - is standard input')
    .option('--dataset <file>', 'compare with the tables of this dataset file, without an agent')
    .option('--beside <files...>', 'other agreements about the same dataset, without an agent')
    .description('say in words what a file permits, and what is wrong with it; works without an agent too')
    .action(run(async (context, input) => await (await import('./check.ts')).check(context, input)))
  agreement
    .command('propose')
    .argument('<file>', 'the agreement, YAML or JSON; - is standard input')
    .description('send an agreement as it is to its other parties; nobody has signed it yet')
    .action(run(async (context, input) => await (await import('./propose.ts')).propose(context, input)))
  agreement
    .command('counter')
    .argument('<name>', 'the proposal, by name or id')
    .argument('<file>', 'the other terms; `agreement show NAME --out FILE` writes those of the proposal')
    .description('answer a proposal with other terms; what it said cannot be signed any more')
    .action(run(async (context, input) => await (await import('./propose.ts')).counter(context, input)))
  agreement
    .command('refuse')
    .argument('<name>', 'the proposal, by name or id')
    .requiredOption('--reason <text>', 'the other parties read it')
    .description('refuse a proposal, or take back an own one: it does not come into force')
    .action(run(async (context, input) => await (await import('./propose.ts')).refuse(context, input)))
  agreement
    .command('revoke')
    .argument('<name>', 'the agreement in force, by name or id')
    .option('--reason <text>', 'the other parties read it', 'no reason given')
    .option('--key <file>', "the steward's key (default: the one of agent.yaml)")
    .option('--by-agent', 'let the agent sign, where its configuration says that it may')
    .option('--yes', 'do not ask again')
    .description('end an agreement, as its clause `revocation` says, at all parties')
    .action(run(async (context, input) => await (await import('./revoke.ts')).revoke(context, input)))
  agreement
    .command('sign')
    .argument('<file-or-name>', 'the agreement, YAML or JSON, or a proposal that waits; - is standard input')
    .option('--key <file>', "the steward's key (default: the one of agent.yaml)")
    .option('--by-agent', 'let the agent sign, where its configuration says that it may')
    .option('--yes', 'do not ask again')
    .description('put an agreement in force, once every party signed; the same name again supersedes it')
    .action(run(async (context, input) => await (await import('./sign.ts')).sign(context, input)))
  agreement
    .command('publish')
    .argument('<file>', 'an agreement with `standing` in place of consumers; - is standard input')
    .option('--key <file>', "the steward's key (default: the one of agent.yaml)")
    .option('--by-agent', 'let the agent sign, where its configuration says that it may')
    .option('--yes', 'do not ask again')
    .description('offer an agreement to members, who take it without asking; the same name again replaces it')
    .action(run(async (context, input) => await (await import('./standing.ts')).publish(context, input)))
  agreement
    .command('withdraw')
    .argument('<name>', 'the standing offer')
    .description('let nobody take a standing offer any more; what was taken goes on')
    .action(run(async (context, input) => await (await import('./standing.ts')).withdraw(context, input)))
  agreement
    .command('take')
    .argument('<name>', 'the standing offer')
    .requiredOption('--from <organisation>', 'who offers it')
    .option('--key <file>', "the steward's key (default: the one of agent.yaml)")
    .option('--by-agent', 'let the agent sign, where its configuration says that it may')
    .option('--yes', 'do not ask again')
    .description('take a standing offer as it is: an agreement in force at once, for this organisation')
    .action(run(async (context, input) => await (await import('./standing.ts')).take(context, input)))
  agreement
    .command('list')
    .option('--standing', 'what members may take: of this organisation and of every provider that is found')
    .option('--from <organisation>', 'with --standing: of that organisation')
    .description('agreements this organisation is a party to, or standing offers')
    .action(run(async (context, input) => await (await import('./look.ts')).list(context, input)))
  agreement
    .command('show')
    .argument('<name>', 'its name or id; with --as also a file')
    .option('--diff', 'what differs from the version that it answers or replaces, clause by clause')
    .option('--with <id>', 'with --diff: the version to compare with')
    .option('--out <file>', 'write its exact terms as a file, to change and send back')
    .option('--from <organisation>', 'a standing offer of that organisation, by its name')
    .option('--as <form>', 'odrl, eflint or text; of a FILE too, without an agent')
    .description('an agreement in words and its exact terms, who signed, refused or revoked it')
    .action(
      run(async (context, input) =>
        asksForForm(input)
          ? await (await import('./show-as.ts')).showAs(context, input)
          : await (await import('./look.ts')).show(context, input)
      )
    )
}
