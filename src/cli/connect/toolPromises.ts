/** What a server's tools promise of being called twice, by their annotations. */
export class ToolPromises {
	private readonly byTool = new Map<string, boolean>();

	/** Whether a call of it may be sent again though it may have been carried out; `undefined`: nobody has listed it. */
	isRepeatable(tool: string): boolean | undefined {
		return this.byTool.get(tool);
	}

	/** @param answer To `tools/list`. Gives the cursor of the next page. */
	learn(answer: Buffer): string | undefined {
		const { result } = parsed(answer);
		for (const tool of Array.isArray(result?.tools) ? result.tools : []) {
			const { name, annotations } = (tool ?? {}) as ListedTool; // looked at member by member
			if (typeof name !== 'string') continue;
			this.byTool.set(name, annotations?.readOnlyHint === true || annotations?.idempotentHint === true);
		}
		return typeof result?.nextCursor === 'string' ? result.nextCursor : undefined;
	}

	/** They are others now. */
	forget(): void {
		this.byTool.clear();
	}
}

interface ListedTool {
	readonly name?: unknown;
	readonly annotations?: { readonly readOnlyHint?: unknown; readonly idempotentHint?: unknown } | null;
}

interface Answer {
	readonly result?: { readonly tools?: readonly unknown[]; readonly nextCursor?: unknown };
}

function parsed(answer: Buffer): Answer {
	try {
		return (JSON.parse(answer.toString('utf8')) ?? {}) as Answer; // looked at member by member
	} catch {
		// The host writes JSON; what is none promises nothing.
		return {};
	}
}
