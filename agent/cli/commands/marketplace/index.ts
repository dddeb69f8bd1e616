import { collect, type Register } from '../../options.ts'

const DIR = 'folder of the marketplace: its key and its state'

export const marketplaceCommand: Register = (program, run) => {
  const marketplace = program
    .command('marketplace')
    .description('who belongs together; the authority works offline, with signed documents as files')
  marketplace
    .command('create')
    .argument('<name>', 'the name of the marketplace')
    .option('--dir <dir>', DIR, 'marketplace')
    .option('--contact <contact>', 'whom a stranger may ask', '')
    .option('--membership-days <days>', 'how long a membership holds', '90')
    .option('--status-days <days>', 'how old the list of expelled members may be', '7')
    .option('--protect', 'protect the key of the authority by a passphrase')
    .description('found a marketplace; its charter is for everybody, the rest is secret')
    .action(run(async (context, input) => await (await import('./create.ts')).create(context, input)))
  marketplace
    .command('admit')
    .argument('<request...>', "join requests, as files; or one agent's peer id with --organisation")
    .option('--dir <dir>', DIR, 'marketplace')
    .option(
      '--out <file>',
      'where to put the membership (default: ORGANISATION.membership.json in the folder)'
    )
    .option('--organisation <name>', 'for a peer id: the organisation it speaks for')
    .option('--role <role>', 'for a peer id: dataProvider or computeProvider; repeatable', collect)
    .option('--steward <peer>', 'for a peer id: key that signs agreements; repeatable', collect)
    .option('--speaks-for <who>', 'for a peer id: mail domain or user; repeatable', collect)
    .option('--replace', 'forget the keys that an earlier membership of the organisation lists')
    .description('sign that keys are an organisation')
    .action(run(async (context, input) => await (await import('./admit.ts')).admitMembers(context, input)))
  marketplace
    .command('expel')
    .argument('<peer...>', 'keys that are trusted no longer')
    .option('--dir <dir>', DIR, 'marketplace')
    .option('--since <instant>', 'when they were lost, such as 2026-01-31T12:00Z (default: now)')
    .description('put keys on the status list')
    .action(run(async (context, input) => await (await import('./status.ts')).expelPeers(context, input)))
  marketplace
    .command('renew')
    .argument('[organisation...]', 'whose memberships (default: all)')
    .option('--dir <dir>', DIR, 'marketplace')
    .option('--status-only', 'only the status list')
    .description('sign memberships and the status list for another while')
    .action(run(async (context, input) => await (await import('./status.ts')).renew(context, input)))
  marketplace
    .command('join')
    .argument('<charter>', 'the charter, as a file')
    .option(
      '--speaks-for <who>',
      'mail domain or user (default: the users of agent.yaml); repeatable',
      collect
    )
    .option('--out <file>', 'where to put the request', 'join-request.json')
    .description('ask to become a member: a file for the authority')
    .action(run(async (context, input) => await (await import('./join.ts')).join(context, input)))
  marketplace
    .command('install')
    .argument('<membership>', 'the membership, or a newer status list, as a file')
    .description('take what the authority answered')
    .action(run(async (context, input) => await (await import('./install.ts')).install(context, input)))
  marketplace
    .command('members')
    .description('the members that the agent knows')
    .action(run(async (context) => await (await import('./members.ts')).members(context)))
}
