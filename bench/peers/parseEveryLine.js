// The yardstick: reads every transcript below a folder and parses every line, and does nothing with it.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

let lines = 0;
for (const entry of readdirSync(process.argv[2] ?? '.', { recursive: true, withFileTypes: true })) {
	if (!entry.isFile() || !entry.name.endsWith('.jsonl')) continue;
	for (const line of readFileSync(join(entry.parentPath, entry.name), 'utf8').split('\n')) {
		if (line === '') continue;
		JSON.parse(line);
		lines++;
	}
}
console.log(lines);
