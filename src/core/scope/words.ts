// The vocabulary of scopes: data, apart from what is done with it. Words are lower case and singular, in the order of the name.

import type { ScopeKind } from './scopeParameter.ts';

/** What a kind's parameters choose, for people. */
export const kindPhrases: Readonly<Record<ScopeKind, string>> = {
	context: 'which session, chat, channel, thread or tab',
	project: 'which project, workspace, repository, branch, team or board',
	place: 'which directory, folder, site or area',
	tenant: 'which organisation, account or owner',
	environment: 'which region, cluster, namespace, stage, device or connection',
	database: 'which database, schema, table, index or collection',
	time: 'which stretch of time',
	page: 'which part of an answer, and how much of it',
};

/**
 * When a noun that has other meanings too names a container. `plain`: no word stands before it but those of `plainBeginnings`.
 * `alone`: nor does another noun. `bare`: nothing follows it. `text`: its value is no number. `named`: an ending of `nameEndings` follows, or it stands alone. `looking`: the tool reads or lists.
 * `searching`: the tool lists or searches. `other`: it is not what the tool itself is about. `whose`: a person whose things are looked at, not one
 * that is looked up, filtered by or written to. `directory`: a path that a search or a listing is held to, not that of the one file.
 * `running`: the tool does not start it.
 */
export type NounCondition =
	| 'plain'
	| 'alone'
	| 'text'
	| 'bare'
	| 'named'
	| 'looking'
	| 'searching'
	| 'other'
	| 'whose'
	| 'directory'
	| 'running';

export interface ContainerNoun {
	readonly kind: ScopeKind;
	/** All of them must hold. */
	readonly when: readonly NounCondition[];
	/** Neither the description nor the name says this: the noun's other meanings. */
	readonly unless?: RegExp | undefined;
	/** The description says this. */
	readonly ifSaid?: RegExp | undefined;
	/** Name or description of the tool say this. */
	readonly inTool?: RegExp | undefined;
	/** Its own description or that of the tool says this, or the tool's name. */
	readonly about?: RegExp | undefined;
	/** A description by which it is of another kind. */
	readonly otherKinds?:
		| readonly {
				readonly said: RegExp;
				readonly kind: ScopeKind;
				/** Its tool's words count as well. */
				readonly isOfTool?: true;
		  }[]
		| undefined;
}

const always: Readonly<Record<string, string>> = {
	context:
		'session, chat, thread, conversation, channel, room, chatroom, dialog, terminal, subreddit, pane, forum, community, tab index, page idx, window id, window handle, shell id, kernel id',
	project:
		'project, workspace, repo, repository, branch, team, board, space, calendar, notebook, vault, portfolio, git remote, service id, module id, todolist, wiki, course, classroom, blog, playlist, resource group, function app, web app, app service, compartment, tasklist, helpdesk, help desk, service desk, base ref, head ref, tree ish, treeish, commit ish, commitish, website id, website uuid, report suite, rsid, budget id, ledger, depot, codebase',
	place: 'mailbox, inbox, cwd, directory, dir, folder, workdir, basedir, rootdir, base path, root path, subdirectory, subfolder, subdir, site search, sitesearch, shared drive, team drive, file share, uule',
	tenant: 'tenant, org, organization, organisation, acct, guild, enterprise, merchant, advertiser, portal, realm, shop, tenancy, management group, ou, org unit, organizational unit, organisational unit, google email, impersonate, on behalf of, act id, store hash',
	environment:
		'region, country, environment, env, cluster, datacenter, udid, simulator, emulator, kubeconfig, base url, server url, instance url, api url, host url, gl, geo, vhost, ns, marketplace, storefront, avd, mkt, vpc, dsn, sandbox, ssh host, ssh server, remote host, bootstrap server, browser id, cdp url, cdp endpoint, rpc url, rpc endpoint, ws endpoint, docker host, hypervisor, api base, market code, territory',
	database:
		'database, db, dataset, bucket, log group, data source, datasource, keyspace, warehouse, knowledge base, vector store, data store, datastore, corpus, queue, sobject, log stream, kb, topic arn, index pattern, data view, log name, log store, logstore, entity set, cache name, graph name, lakehouse, data set, memory bank, bank id',
};

const sometimes: Readonly<Record<string, ContainerNoun>> = {
	sprint: { kind: 'project', when: ['named'] },
	cycle: { kind: 'project', when: ['named'] },
	iteration: { kind: 'project', when: ['named'], unless: /\bloop\b/ },
	account: {
		kind: 'tenant',
		when: [],
		unless: /\b(?:assignee|reporter|watchers?|author|owner account|user account)\b/,
	},
	tab: {
		kind: 'context',
		when: [],
		unless: /\btab(?:ulator|s? (?:character|width|size))|\bdoc(?:ument)?(?:'s)? tab\b|\btab (?:of|in|within) (?:the |a )?(?:google )?doc/,
	},
	context: {
		kind: 'context',
		when: ['alone', 'text'],
		unless: /\b(?:additional|background|surrounding|provide[sd]?|lines of) context|context (?:for|about|of the|lines)\b/,
		otherKinds: [{ said: /\bkube/, kind: 'environment' }],
	},
	app: {
		kind: 'project',
		when: ['text'],
		otherKinds: [{ said: /\b(?:base|bitable|table)\b/, kind: 'database' }],
	},
	application: { kind: 'project', when: ['text'] },
	section: { kind: 'project', when: ['plain'], unless: /\b(?:page|document|docs?|file|readme|article|heading)\b/ },
	list: { kind: 'project', when: ['named'], unless: /\b(?:mailing|comma|array)\b|^(?:a )?list of\b/ },
	service: {
		kind: 'project',
		when: ['plain', 'text', 'named'],
		otherKinds: [{ said: /\b(?:compose|container)\b/, kind: 'environment' }],
		ifSaid: /\bservices?\b/,
		unless: /\b(?:filter|log (?:line|entr)|trace|apm|type|kind|metric|micro|systemd|nginx|daemon)/,
	},
	library: {
		kind: 'project',
		when: ['text', 'named'],
		ifSaid: /^$|\blibrar(?:y|ies)\b/,
		unless: /\blibrary name\b|\b(?:icon|component|npm|python) librar/,
	},
	ref: { kind: 'project', when: ['plain', 'text'], unless: /\b(?:element|snapshot|node|reference (?:id|number))\b/ },
	head: { kind: 'project', when: ['plain', 'text', 'looking'], ifSaid: /^$|\b(?:branch|user|org|commit|ref|sha)/ },
	root: { kind: 'place', when: ['plain', 'text'] },
	drive: { kind: 'place', when: ['text'] },
	path: { kind: 'place', when: ['text', 'directory'] },
	location: {
		kind: 'place',
		when: ['searching'],
		otherKinds: [
			{
				said: /\b(?:country|region|iso|geo-?target|gcp|google cloud|azure|us-central|us-east)/,
				kind: 'environment',
			},
		],
	},
	place: { kind: 'place', when: ['searching', 'named'], ifSaid: /\b(?:location|area|place id)\b/ },
	latitude: { kind: 'place', when: ['searching'] },
	longitude: { kind: 'place', when: ['searching'] },
	lat: { kind: 'place', when: ['searching'] },
	lng: { kind: 'place', when: ['searching'] },
	lon: { kind: 'place', when: ['searching'] },
	radius: { kind: 'place', when: ['looking'] },
	bbox: { kind: 'place', when: ['looking'] },
	bound: { kind: 'place', when: ['searching'] },
	proximity: { kind: 'place', when: ['looking'] },
	city: { kind: 'environment', when: ['searching'] },
	domain: {
		kind: 'place',
		otherKinds: [{ said: /\bdns\b/, kind: 'project', isOfTool: true }],
		when: ['searching'],
		unless: /\b(?:topic|expertise|subject|purchase|availab|by domain|entit|light|sensor)/,
	},
	website: { kind: 'place', when: ['searching'] },
	owner: {
		kind: 'tenant',
		when: [],
		unless: /\b(?:file|document|card|task|item|story|ticket|record|issue|incident|deal) owners?\b|\bowned by\b|\bemail\b|\bcase owners?\b/,
	},
	user: { kind: 'tenant', when: ['whose'] },
	username: { kind: 'tenant', when: ['whose'] },
	login: { kind: 'tenant', when: ['whose'] },
	person: { kind: 'tenant', when: ['whose'] },
	customer: { kind: 'tenant', when: ['whose'], unless: /\be-?mail\b/ },
	company: { kind: 'tenant', when: ['whose', 'named'] },
	group: { kind: 'tenant', when: ['named'], unless: /\bgroup(?:ing|ed)? by\b|\bapi group\b|\bpermission/ },
	profile: {
		kind: 'environment',
		when: ['text', 'named'],
		unless: /\b(?:validation|mode|travel|driving|linkedin|user profile|person|voice|performance|colou?r|page)\b/,
	},
	subscription: { kind: 'tenant', when: ['other'] },
	cloud: { kind: 'tenant', when: ['named'] },
	business: { kind: 'tenant', when: ['named'] },
	site: {
		kind: 'project',
		when: [],
		otherKinds: [{ said: /\b(?:restrict|limit (?:to|results)|only (?:from|on|search))\b/, kind: 'place' }],
	},
	server: {
		kind: 'environment',
		when: ['plain', 'other', 'named'],
		otherKinds: [{ said: /\b(?:discord|guilds?)\b/, kind: 'tenant', isOfTool: true }],
	},
	host: { kind: 'environment', when: ['plain', 'other'] },
	hostname: { kind: 'environment', when: ['plain', 'other'] },
	device: { kind: 'environment', when: ['text'], unless: /\b(?:desktop or mobile|device type|viewport)\b/ },
	instance: { kind: 'environment', when: ['other'] },
	connection: { kind: 'environment', when: ['text'] },
	port: { kind: 'environment', when: ['plain', 'running'] },
	stage: {
		kind: 'environment',
		when: ['plain', 'text'],
		unless: /\b(?:build|pipeline|deal|sales|lifecycle|funnel|job)\b/,
	},
	zone: {
		otherKinds: [{ said: /\b(?:dns|records?|domains?)\b/, kind: 'project', isOfTool: true }],
		kind: 'environment',
		when: ['text'],
		unless: /\btime ?zone/,
	},
	schema: {
		kind: 'database',
		when: ['text'],
		unless: /\b(?:json|input|output|response|event|element|form|validation|graphql|api|avro|xml|extraction|argument|param|parameter|type|page|object|content|result|item|custom|include) schema\b|\bschema (?:of|for) the (?:output|response|result|data)/,
	},
	table: { kind: 'database', when: [] },
	index: { kind: 'database', when: ['plain', 'text'], unless: /\b(?:zero|one|0|1)-based\b|\bposition\b/ },
	base: {
		kind: 'database',
		when: ['plain', 'text'],
		otherKinds: [{ said: /\b(?:branch|commit)/, kind: 'project', isOfTool: true }],
	},
	catalog: { kind: 'database', when: ['text'] },
	store: { kind: 'database', when: ['named', 'text'] },
	module: {
		kind: 'project',
		when: ['named'],
		unless: /\b(?:npm|python|terraform|node|import)\b/,
		ifSaid: /\bmodules?\b/,
	},
	topic: {
		kind: 'database',
		when: ['named'],
		about: /\b(?:kafka|pub\/?sub|sns|mqtt|brokers?|zulip|discourse|forum)\b/,
		otherKinds: [{ said: /\b(?:zulip|discourse|forum|stream)\b/, kind: 'context', isOfTool: true }],
	},
	prefix: { kind: 'place', when: ['plain', 'searching'], about: /\b(?:objects?|path|folder|keys?|files?|blobs?)\b/ },
	chain: { kind: 'environment', when: ['named'], unless: /\b(?:llm|thought|method)\b/ },
	network: {
		kind: 'environment',
		when: ['text'],
		unless: /\b(?:throttl\w*|wi-?fi|docker|subnet|vpc|vlan|social|network (?:idle|error|request|timeout)|interface)\b/,
	},
	node: {
		kind: 'environment',
		when: ['plain', 'text'],
		ifSaid: /\b(?:proxmox|cluster node|node name|host)\b/,
		unless: /\b(?:figma|graph|workflow|dom|xml)\b/,
	},
	remote: { kind: 'project', when: ['plain', 'text'], ifSaid: /\b(?:git|origin|remote (?:name|repo))/ },
	near: { kind: 'place', when: ['searching'] },
	center: { kind: 'place', when: ['searching'] },
	viewport: { kind: 'place', when: ['searching'] },
	collection: {
		kind: 'database',
		when: [],
		otherKinds: [
			{
				said: /\b(?:passwords?|vault|dashboards?|bookmarks?|organization items)\b/,
				kind: 'place',
				isOfTool: true,
			},
			{ said: /\b(?:postman|mock servers?|api requests?)\b/, kind: 'project', isOfTool: true },
		],
	},
	container: {
		kind: 'database',
		when: ['text', 'named'],
		about: /\b(?:cosmos\w*|documents?|blobs?|storage|chats?|messages?)\b/,
		otherKinds: [{ said: /\b(?:chat|thread|conversation|channel)\b/, kind: 'context' }],
	},
	namespace: {
		kind: 'environment',
		when: [],
		otherKinds: [
			{ said: /\b(?:kv|key-value|vectors?|embeddings?)\b/, kind: 'database', isOfTool: true },
			{
				said: /\b(?:provider|module|policy|publisher|registry|package|function|library)s? namespace\b/,
				kind: 'tenant',
			},
		],
	},
	exchange: {
		kind: 'environment',
		when: ['text'],
		inTool: /\b(?:crypto\w*|tickers?|markets?|trading|exchanges?|ohlcv|order ?books?|rabbitmq|amqp)\b/,
		otherKinds: [{ said: /\b(?:rabbitmq|amqp)\b/, kind: 'database', isOfTool: true }],
	},
	view: {
		kind: 'database',
		when: ['named', 'text'],
		inTool: /\b(?:sql|mssql|database|schema|definition)\b/,
		unless: /\b(?:saved|grid|board)\b/,
	},
	address: {
		kind: 'tenant',
		when: ['whose', 'text'],
		inTool: /\b(?:wallets?|blockchain|chain|nfts?|balances?|transactions?|ethereum|solana|buckets?)\b/,
		unless: /\b(?:contract|token|e-?mail|street|postal|ip)\b/,
	},
	market: { kind: 'environment', when: ['plain', 'text', 'bare'], unless: /\b(?:market id|prediction|market cap)\b/ },
	version: { kind: 'project', when: ['plain', 'text'], ifSaid: /\bbranch\b/ },
	sha: { kind: 'project', when: ['plain', 'text', 'searching'], ifSaid: /\bbranch\b.*\b(?:start|list)/ },
	provider: { kind: 'project', when: ['plain', 'text'], about: /\bterraform\b/, unless: /\bfilter\b/ },
	member: { kind: 'tenant', when: ['whose', 'named'] },
	actor: { kind: 'tenant', when: ['whose', 'named'], inTool: /\b(?:bluesky|at protocol|feed)\b/ },
	wallet: { kind: 'tenant', when: ['whose'] },
	object: { kind: 'database', when: ['named', 'text'], inTool: /\b(?:salesforce|soql|crm)\b/, ifSaid: /\bobject\b/ },
	page: {
		kind: 'context',
		when: ['named'],
		inTool: /\b(?:browser|tabs?|devtools|puppeteer|playwright)\b/,
		ifSaid: /\bpages?\b/,
	},
	machine: { kind: 'environment', when: ['named'] },
	agent: {
		kind: 'tenant',
		when: ['whose', 'named'],
		inTool: /\b(?:inbox|messages?|memor(?:y|ies)|agents)\b/,
		unless: /\bunique identifier\b/,
	},
	window: {
		kind: 'context',
		when: ['named'],
		ifSaid: /\b(?:tmux|terminal|browser) window|\bwindow (?:id|identifier|handle)\b/,
	},
	property: { kind: 'project', when: ['named'], about: /\b(?:analytics|ga4|search console|run report)\b/ },
	subdomain: {
		kind: 'tenant',
		when: [],
		unless: /\b(?:dns|records?|wildcard|enumerat\w*|scan)\b|\binclude subdomains?\b/,
	},
	volume: {
		kind: 'place',
		when: ['named', 'text', 'searching'],
		unless: /\b(?:audio|sound|trading|search volume|24h)\b/,
	},
	disk: { kind: 'place', when: ['named', 'text', 'searching'] },
	shelf: { kind: 'project', when: ['named', 'text'] },
	cube: { kind: 'database', when: ['named', 'text'], about: /\b(?:olap|cubes?|measures?|mdx|quer(?:y|ies))\b/ },
	controller: { kind: 'environment', when: ['named', 'text'], ifSaid: /\bcontrollers? (?:to|id|name)\b/ },
	endpoint: { kind: 'environment', when: ['named'], about: /\bportainer\b/ },
	email: {
		kind: 'tenant',
		when: ['alone', 'text'],
		ifSaid: /\b(?:account|mailbox) (?:to use|to search|to read|to query|to access|owner)\b/,
	},
	around: { kind: 'place', when: ['searching'] },
	north: { kind: 'place', when: ['looking'] },
	south: { kind: 'place', when: ['looking'] },
	east: { kind: 'place', when: ['looking'] },
	west: { kind: 'place', when: ['looking'] },
	'path prefix': { kind: 'place', when: ['looking'] },
	'within km': { kind: 'place', when: ['looking'] },
	'within mile': { kind: 'place', when: ['looking'] },
	'state code': { kind: 'environment', when: ['searching'] },
	rev: { kind: 'project', when: ['plain', 'text'], about: /\b(?:git|branch|commits?)\b/ },
	revision: { kind: 'project', when: ['plain', 'text'], about: /\b(?:git|branch)\b/ },
	column: { kind: 'project', when: ['named'], about: /\b(?:kanban|boards?|cards?)\b/, unless: /\b(?:table|csv)\b/ },
	plan: {
		kind: 'project',
		when: ['named', 'other'],
		about: /\b(?:planner|tasks?|buckets?)\b/,
		ifSaid: /^$|\bplan(?:ner)?\b/,
	},
	feed: { kind: 'project', when: ['named'], about: /\b(?:packages?|artifacts?)\b/ },
	stream: {
		kind: 'database',
		when: ['named', 'text'],
		about: /\b(?:kinesis|kafka|redis|nats|jetstream|shards?|zulip|messages?|records?)\b/,
		otherKinds: [{ said: /\b(?:zulip|messages?)\b/, kind: 'context', isOfTool: true }],
	},
	jid: {
		kind: 'context',
		when: ['plain'],
		about: /\b(?:chats?|groups?|messages?|whatsapp)\b/,
		unless: /\b(?:sender|participant|recipient)\b/,
	},
	peer: { kind: 'context', when: ['plain'], about: /\b(?:chats?|channels?|dialogs?)\b/ },
	pool: { kind: 'environment', when: ['named'], about: /\b(?:agents?|runners?|builds?)\b/ },
	'user principal': { kind: 'tenant', when: ['whose'] },
	upn: { kind: 'tenant', when: ['whose'] },
	'screen name': { kind: 'tenant', when: ['whose'] },
	handle: {
		kind: 'tenant',
		when: ['alone', 'text', 'whose'],
		about: /\b(?:follow(?:ers|ing|s)?|tweets?|posts?|feeds?|timeline|bluesky|twitter|mastodon|instagram|tiktok)\b/,
	},
	area: {
		kind: 'place',
		when: ['plain', 'named', 'searching'],
		unless: /\b(?:expertise|interest|focus|code|subject|topic)\b/,
	},
	floor: { kind: 'place', when: ['named', 'searching', 'text'], unless: /\bprice\b/ },
	home: {
		kind: 'environment',
		when: ['named', 'text'],
		about: /\b(?:devices?|lights?|scenes?|thermostats?|rooms?|sensors?)\b/,
	},
	hub: { kind: 'environment', when: ['named', 'other', 'text'] },
	gateway: { kind: 'environment', when: ['plain', 'named', 'other', 'text'], unless: /\bpayment/ },
	bridge: {
		kind: 'environment',
		when: ['plain', 'named', 'other', 'text'],
		about: /\b(?:hue|lights?|scenes?|home|zigbee|devices?)\b/,
	},
	subnet: { kind: 'environment', when: ['named', 'text'], unless: /\b(?:mask|cidr)\b/ },
	partition: { kind: 'database', when: ['named'], about: /\b(?:kafka|topics?|brokers?|index)\b/ },
	broker: { kind: 'environment', when: ['named'], about: /\b(?:kafka|mqtt|topics?|amqp|rabbitmq)\b/ },
	mount: { kind: 'place', when: ['named'], about: /\b(?:secrets?|vault)\b/ },
	stack: {
		kind: 'project',
		when: ['named', 'text', 'other'],
		unless: /\b(?:stack ?trace|tech(?:nology)?|framework|language)\b/,
	},
	vm: { kind: 'environment', when: ['named', 'other'] },
	'virtual machine': { kind: 'environment', when: ['other'] },
	serial: { kind: 'environment', when: ['plain', 'text'], about: /\b(?:devices?|adb|android|emulators?)\b/ },
	serialno: { kind: 'environment', when: ['plain', 'text'], unless: /\b(?:product|certificate)\b/ },
	model: { kind: 'database', when: ['plain', 'text'], about: /\b(?:odoo|erp)\b/ },
	doctype: { kind: 'database', when: ['plain', 'text'], about: /\b(?:frappe|erpnext|doctypes?)\b/ },
	'class name': { kind: 'database', when: ['text'], about: /\bweaviate\b/ },
	graph: {
		kind: 'database',
		when: ['named', 'text', 'other'],
		about: /\b(?:cypher|sparql|rdf|graph ?(?:db|database|name)|falkor\w*|neo4j|named graph)\b/,
	},
	measurement: { kind: 'database', when: ['named', 'text'], about: /\b(?:influx\w*|time[- ]series)\b/ },
	cr: { kind: 'environment', when: ['searching'], ifSaid: /\bcountry\b/ },
	ll: { kind: 'place', when: ['searching'] },
	coordinate: { kind: 'place', when: ['searching'] },
	polygon: { kind: 'place', when: ['searching'] },
	viewbox: { kind: 'place', when: ['looking'] },
	'bounding box': { kind: 'place', when: ['looking'] },
	distance: {
		kind: 'place',
		when: ['searching'],
		unless: /\b(?:vector|cosine|metric|edit|levenshtein|similarity|unit)\b/,
	},
	'max distance': {
		kind: 'place',
		when: ['searching'],
		unless: /\b(?:vector|cosine|metric|edit|levenshtein|similarity)\b/,
	},
	zip: { kind: 'place', when: ['searching', 'text'], unless: /\b(?:archive|compress\w*|file)\b/ },
	postal: { kind: 'place', when: ['looking'] },
	postcode: { kind: 'place', when: ['looking'] },
	neighborhood: { kind: 'place', when: ['searching'] },
	neighbourhood: { kind: 'place', when: ['searching'] },
	district: { kind: 'place', when: ['searching'] },
	county: { kind: 'environment', when: ['searching'] },
	province: { kind: 'environment', when: ['searching'] },
	state: {
		kind: 'environment',
		when: ['searching'],
		ifSaid: /\b(?:u\.?s\.?|province|(?:two|2)-letter|state (?:code|abbrev\w*|or))/,
	},
};

/** Containers: a name that ends in one says where a tool looks or acts, whatever stands before it, where its conditions hold. */
export const containerNouns: ReadonlyMap<string, ContainerNoun> = new Map([
	...Object.entries(always).flatMap(([kind, nouns]) =>
		// The keys above are kinds.
		nouns.split(', ').map((noun): [string, ContainerNoun] => [noun, { kind: kind as ScopeKind, when: [] }]),
	),
	...Object.entries(sometimes),
	// The sides of a box on the map.
	...['lat', 'lon', 'lng', 'long', 'latitude', 'longitude'].flatMap((axis) =>
		['min', 'max'].flatMap((side): [string, ContainerNoun][] => [
			[`${side} ${axis}`, { kind: 'place', when: ['looking'] }],
			[`${axis} ${side}`, { kind: 'place', when: ['looking'] }],
		]),
	),
]);

/** Of a new or changed thing these are what it becomes a part of, not where the tool looks. */
export const attributesWhenCreated: ReadonlySet<string> = wordSet('sprint, cycle, iteration');
export const attributesWhenUpdated: ReadonlySet<string> = wordSet(
	'channel, project, team, board, list, section, space, sprint, cycle, iteration, portfolio, owner, group, location, country, region, city, company, customer, account, app, application, domain, site',
);

/** Endings that name a thing by another of its names. */
export const nameEndings: ReadonlySet<string> = wordSet(
	'id, or, uuid, guid, gid, uid, key, slug, name, code, number, url, uri, ref, identifier, handle, alias, filter, path, token, login, arn, jid, ts, any, all, email, string, serial, jid, ident, idx, meter, metre, km, mile, dir, directory, root, folder, selector, sid, pk, oid, principal',
);

/** Of these endings those that make a path of it: `projectRoot`, `repo_path`. */
export const pathEndings: ReadonlySet<string> = wordSet('path, dir, directory, root, folder');

/** Names that say nothing of their own. */
export const emptyNames: ReadonlySet<string> = wordSet(
	'id, uuid, guid, gid, uid, sid, key, slug, name, identifier, parent, resource, target, scope',
);

/** Names of what is asked for or written, whatever their words speak of. */
export const payloadNames: ReadonlySet<string> = wordSet(
	'query, q, search, search term, search query, search text, term, keyword, text, body, content, message, title, description, prompt, question, subject, comment, note, summary, sql, code, command, script, jql, cql, filter, value, data, input, label, tag, status, type, format, sort, order, order by, sort by, group by, field',
);

/** Words in front that change nothing. */
export const plainBeginnings: ReadonlySet<string> = wordSet(
	'current, active, selected, target, default, source, filter, by, in, for, from, search, my, the, optional, within, include, included, only, given, specific, working, allowed, of, destination, home, start, starting, new, geo, user, git',
);

/** Words in front that make it something else: what is left out, what a thing becomes, how many. */
export const otherBeginnings: ReadonlySet<string> = wordSet(
	'exclude, excluded, ignore, ignored, without, is, has, no, not, add, remove, delete, expected, rename, min, max, num, width, size, create, update, auto, use, blocked, denied, banned, allow, enable, disable, skip, time, file, type, new',
);

/** Words of names that most tools of a server share, and that say how they work or what they are given. */
export const commonWords: ReadonlySet<string> = wordSet(
	'id, uuid, url, uri, path, name, query, q, text, access, refresh, bearer, personal, content, body, format, output, input, field, expand, include, select, unit, currency, language, lang, locale, timezone, zone, tz, mode, type, kind, action, operation, method, op, command, order, sort, proxy, header, cookie, agent, key, token, secret, password, credential, auth, api, version, model, prompt, reason, reasoning, rationale, explanation, justification, intent, thought, goal, purpose, context, style, theme, colour, color, detail, detailed, verbose, verbosity, level, timeout, selector, xpath, jq, filter, status, state, tag, label, target, symbol, ticker, pair, coin, city, location, place, station, airport, latitude, longitude, address, email, phone, date, time, title, description, value, data, options, option, config, schema, template, algorithm, strategy, callback, webhook, request, trace, correlation, idempotency, nonce, indicator, isin, cik, pmid, doi, accession, smiles, sql, statement, script, code, expression, formula, number, x, y, z, ref, locator, css, html, markdown, latex, width, height, voice, speaker, seed, negative, size, quality, aspect, ratio, resolution, duration, background, font, question, answer, topic, subject, keyword, term, phrase, word, ingredient, brand, make, vin, origin, destination, from, to, departure, arrival, start, end, iata, icao, geometry, point, coordinate, hash, ip, asn, range, cell, base, quote, preset, profile, scale, precision, threshold, limit, source, provider, engine, framework, platform, os, arch, runtime, theme, layout, scheme, configuration, variant, flavour, flavor, role, permission, feature, category, genre, season, year, month, day, week, hour, minute, second, gender, age, weight, length, count, index, position, offset, line, column, row, character, regex, pattern, glob, extension, mime, encoding, compression, separator, delimiter, prefix, suffix, instruction, note, comment, summary, caption, alt, emoji, icon, avatar, logo, visibility, privacy, license, priority, severity, difficulty, effort, confidence, score, rating, scope, dry, confirm, confirmation, view, fields',
);

/** What things are filtered by. */
export const filterNouns: ReadonlySet<string> = wordSet(
	'status, state, type, kind, category, label, tag, priority, severity, author, assignee, creator, reporter, user, owner, level, role, language, extension, genre, brand, difficulty, rating, source type, rank, class, property, attribute, resolution, milestone, visibility, tier, gender, industry, topic, theme, method, protocol, criterion, condition, option, parameter, field, column',
);

/** The things that tools ask for, change or remove: the id of one says what, and not where. */
export const objectNouns: ReadonlySet<string> = wordSet(
	'page, document, doc, spreadsheet, sheet, workbook, worksheet, file, filename, filepath, image, video, photo, audio, presentation, slide, form, diagram, design, drawing, model, mesh, layer, object, issue, ticket, card, task, subtask, story, epic, bug, message, mail, email, event, meeting, pod, container, job, run, build, pipeline, workflow, execution, node, element, record, row, cell, item, entry, entity, user, person, contact, customer, client, lead, deal, candidate, employee, member, author, assignee, pull, pr, mr, commit, release, tag, order, product, sku, variant, invoice, payment, transaction, post, article, paper, note, block, comment, reaction, attachment, track, song, album, artist, movie, show, episode, game, match, player, character, recipe, listing, property, flight, hotel, trip, route, monitor, alert, incident, dashboard, panel, rule, policy, function, package, component, class, method, variable, flag, experiment, survey, response, campaign, ad, creative, audience, segment, key, symbol, ticker, stock, coin, token, contract, block, hash, tx, sensor, light, host, ip, cve, patient, study, gene, protein, compound, word, term, question, answer, prompt, tool, resource, step, rule, template, session log, deployment, snapshot, backup, image, plan, test, case, suite, trace, span',
);

/** Names of a stretch of time, or of one of its ends: alone they say so. */
export const timeNames: ReadonlySet<string> = wordSet(
	'since, until, lookback, look back, timeframe, time frame, time range, date range, time window, time period, date period, date interval, freshness, recency, day back, hour back, day ago, last day, last hour, last n day, oldest, latest, relative time, time span, timespan, time interval, time filter, date filter, stat period, day count, daterange, timerange, lookback day, lookback hour, minute ago, hour ago, since hour, since day, since minute, on date, checkin, checkout, check in, check out, as of, tbs, date preset, time preset, billing period, reporting period, season, earliest, date restrict, qdr, older than, newer than, older than day, newer than day, newer than hour, older than hour, max age day, max age hour, age day, as of date, fiscal year, fiscal quarter, fiscal period, tax year, calendar year, check in date, check out date, seen after, seen before, last seen after, last seen before, first seen after, first seen before, duration minute back, year range, year month, publication year, decade',
);

/** Names that are one where the type or the description speaks of time. */
export const timeLikeNames: ReadonlySet<string> = wordSet(
	'from, to, start, end, begin, before, after, when, within, recent, age, cutoff, day, hour, minute, week, month, year, date, quarter, period, range, window, created, updated, modified, published, min, max, gte, lte, gt, lt, last, time, t, past',
);

/** Beside `date`, `time`, `at`, `timestamp` such a word makes an end of a stretch of time. */
export const timeEnds: ReadonlySet<string> = wordSet(
	'since, until, from, to, start, started, starting, end, ended, ending, begin, beginning, before, after, min, max, minimum, maximum, gte, lte, gt, lt, oldest, latest, earliest, last, newer, older, than, range, window, on, during, lower, upper, bound, within',
);

export const timeWords: ReadonlySet<string> = wordSet(
	'date, time, at, timestamp, datetime, day, created, updated, modified, published, closed, merged, due, occurred, completed, ts, ms, epoch, iso, rfc3339, unix, milli, second, sec, utc, crawl, page, creation, modification, update, activity, deadline, scheduled, on, rfc, 3339, 8601, ns, nano, hour, year, month, dt, evaluation, seen',
);

/** `past_days`, `num_hours`: a number of these, behind such a word. */
export const timeUnits: ReadonlySet<string> = wordSet('day, hour, minute, week, month, year, quarter');
export const timeAmounts: ReadonlySet<string> = wordSet(
	'window, range, span, period, time, past, last, previous, prior, next, forecast, future, recent, lookback, back, num, number, n, of, within, in, ahead, count, since, ago, the, upcoming, historical, history, trailing, rolling, horizon, to, look',
);

/** Arrays of which each entry is a thing of its own that a call asks for or makes. */
export const batchNames: ReadonlySet<string> = wordSet(
	'item, operation, request, query, record, entry, action, call, command, update, change',
);

/** Names of a part of an answer, or of its size: whatever type they have. */
export const pageNames: ReadonlySet<string> = wordSet(
	'limit, offset, cursor, per page, page size, page token, page number, page num, page no, page index, page limit, page offset, page cursor, page len, page length, page count, item per page, result per page, next page, next page token, next token, next cursor, start cursor, end cursor, after cursor, before cursor, continuation token, continuation, continue token, pagination token, pagination, top k, top n, start index, start at, starting after, ending before, head limit, result count, result limit, start line, end line, line start, line end, from line, to line, line count, start row, end row, tail line, line limit, first line, last line, view range, line range, page range, bookmark, pagelen, scroll id, max size, max chunk, max key, match limit, search limit, count limit, line number start, line number end, start line number, end line number, last id, since id, max id, min id, next id, before id, after id, from id, next link, next url, next, current page, start page, end page, page start, page end, from page, to page, max page, num before, num after, start key, last key, exclusive start key, starting token, resume token, start after, page after, rpp, lines to read, retmax, retstart, ret max, ret start, cursor mark, first n, last n, top n, topn, topk, max n, how many, search after, skip token, last evaluated key, offset id, offset index, chunk index, chunk number, page cursor, next offset, next marker, start at row, row offset, row start, row end, max page, page to fetch, page key, paging token, paging, paging cursor, pager, page position, page info, start position, max return, max to return, result per query, hit per page, record per page, entry per page, row per page, number of result, number of item, number of record, row count, item count, nb result, result size, fetch size, fetch count, max fetch, cursor id, cursor token, offset token, next page id, next page url, last n line, preview row, sample row, per page count, iteration token, sys parm limit, sys parm offset, sysparm limit, sysparm offset, limit start, limit per page, items limit, start item, start record, start result, first result, first row, last row',
);

/** Names that are one where the value is a number, or the description speaks of pages and counts. */
export const pageLikeNames: ReadonlySet<string> = wordSet(
	'page, p, top, k, n, num, token, max token, row, count, size, length, head, tail, first, last, line, marker, take, skip, len, amount, number, quantity, display, show, max, maximum, current, position, start, from, end, stop, to, before, after, continue',
);

/** The last words of a name that say how much, or from where on, of what the other words name. */
export const pageEndings: ReadonlySet<string> = wordSet(
	'limit, offset, cursor, page token, per page, page size, page number, top k, top n',
);

/** `max` or `num` of these. */
export const countables: ReadonlySet<string> = wordSet(
	'result, item, row, entry, record, message, issue, page, event, hit, match, line, char, character, length, count, document, doc, post, comment, file, log, reply, thread, commit, reference, source, url, output, byte, link, response, task, article, video, image, ticket, node, key, user, suggestion, passage, snippet, chunk, tweet, email, contact, job, run, test, trace, span, element, member, place, product, order, paper, review, answer, hotel, listing, flight, place, section, change, alert, metric, datapoint, point, series, card, story, thing, song, track, playlist, follower, company, people, person, profile, category, word, sentence, paragraph, block, step, frame, session, transaction, repo, repository, pull, branch, release, version, tag, symbol, completion, table, column, cell, sheet, slide, photo, gif, release, game, match, event, todo, note, highlight, bookmark, keyword, competitor, backlink, domain, site, website, app, package, dependency, vulnerability, finding, error, exception, warning, diagnostic, problem, occurrence, usage example, example, sample row, neighbor, edge, relation, entity, fact, memory, observation, quote, citation, author, publication, trial, recipe, place, poi',
);

export const countBeginnings: ReadonlySet<string> = wordSet('max, maximum, num, number, n, top, no');

/** A limit of these is one on cost, or on how the work is done, not on the answer. */
export const costs: ReadonlySet<string> = wordSet(
	'minute, hour, day, year, rate, time, memory, cpu, cost, price, budget, credit, spend, retry, timeout, depth, concurrency, billed, concurrent, batch, parallel, attempt, sample, spending, usage, age, width, height, wait, duration, second, ms, iteration, step, turn, upload',
);

/** What a tool does, by a word of its name. */
export const verbs = {
	list: wordSet(
		'list, search, find, query, browse, grep, glob, tree, ls, scan, discover, count, aggregate, history, logs, recent, summarize, explore, select, nearby, crawl, lookup, top, filter, ask, screen',
	),
	read: wordSet(
		'get, read, fetch, show, describe, retrieve, view, inspect, download, open, check, status, explain, resolve, analyze, analyse, debug, export, screenshot, display, tail, compare, diff, info',
	),
	remove: wordSet(
		'delete, remove, archive, close, cancel, stop, clear, drop, unassign, kill, terminate, destroy, purge',
	),
	send: wordSet(
		'send, push, broadcast, call, dm, post, reply, publish, invite, draft, forward, share, write, append, notify, comment',
	),
	update: wordSet(
		'update, edit, set, modify, patch, rename, change, move, put, assign, replace, transfer, configure, reorder, upsert, mute, enable, disable',
	),
	create: wordSet(
		'create, add, new, make, insert, register, fork, init, initialize, schedule, book, clone, copy, duplicate, import, upload, provision, setup, save',
	),
	generate: wordSet('generate, render, draw, synthesize, translate, complete'),
	start: wordSet('start, launch, serve, run, execute, trigger, deploy, install, build, boot'),
} satisfies Readonly<Record<string, ReadonlySet<string>>>;

/** Verbs that are as often nouns, or qualities: another verb in the same name goes before them. */
export const doubtfulVerbs: ReadonlySet<string> = wordSet(
	'post, draft, share, copy, import, export, book, set, view, check, status, count, query, history, logs, schedule, change, patch, open, recent, comment, reply, new, run, build, test, top, map, filter, info, tree, diff, tail, comment, debug, archive, start, stop, clone, fork, select, forward, number, init, search',
);

/** Verbs of making something out of what there is. */
export const copyingVerbs: ReadonlySet<string> = wordSet('clone, fork, copy, duplicate, import');

function wordSet(words: string): ReadonlySet<string> {
	return new Set(words.split(', '));
}
