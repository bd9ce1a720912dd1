import type { ChainLink } from '../events/sessionEvent.ts';

/** What a chain node may carry: a message counts how many of its lines are active. */
export interface ChainMember {
	activeLines: number;
}

/** One line in the tree of an agent's lines. Lines that carry no message have no node: their id stands for the node above them. */
export interface ChainNode<Member extends ChainMember> {
	readonly id: string;
	parent: ChainNode<Member> | undefined;
	readonly member: Member | undefined;
	/** Order of appending. */
	readonly order: number;
	/** Index in the active chain; -1 when the line is not part of it. */
	activeIndex: number;
}

/**
 * The tree of one agent's lines, and the path through it that is the conversation as it stands: from the last line up to the root or
 * to the last compaction. A line whose parent is not there follows the line before it; formats without parents are one long path.
 */
export class Chain<Member extends ChainMember> {
	/** By id. `null`: a line without a message and without any above it. */
	private readonly nodes = new Map<string, ChainNode<Member> | null>();
	private readonly waiting = new Map<string, ChainNode<Member>[]>();
	private readonly active: ChainNode<Member>[] = [];
	private last: ChainNode<Member> | undefined;
	/** The id of the line that came last, and what it stands for: most lines follow the one before them. */
	private lastId = '';
	private lastOfId: ChainNode<Member> | null = null;
	private leaf: ChainNode<Member> | undefined;
	/** Counts up when lines come or the active chain changes: what was found out about the chain holds as long as it stays. */
	version = 0;
	private nextOrder = 0;
	private isReparented = false;
	private preserved: { readonly headId: string; readonly anchorId: string; readonly tailId: string } | undefined;
	/** Whether the first line has a parent that is not in the file. */
	isHeadCut = false;

	has(id: string): boolean {
		return this.nodes.has(id);
	}

	/** The node of the line that was appended last with this id, or the node above it when the line carries no message. */
	node(id: string): ChainNode<Member> | undefined {
		return (id === this.lastId ? this.lastOfId : this.nodes.get(id)) ?? undefined;
	}

	/**
	 * Appends a line that carries a message.
	 * @param isBeside The conversation goes on without it.
	 */
	append(link: ChainLink | undefined, member: Member, isBeside = false): ChainNode<Member> {
		const node = this.create(link, member);
		if (!isBeside) this.leaf = node;
		if (link !== undefined && link.id === this.preserved?.anchorId) this.insertPreserved(node);
		return node;
	}

	/** Appends a line that carries no message but has a place in the tree. */
	pass(link: ChainLink): void {
		if (this.nodes.has(link.id)) return;
		const parent = this.parentOf(link);
		if (!parent.isKnown && this.nextOrder === 0 && this.nodes.size === 0) this.isHeadCut = true;
		this.place(link.id, parent.node ?? null);
	}

	/** Begins the conversation anew behind a compaction. What it preserved follows its summary, the anchor. */
	compact(
		link: ChainLink | undefined,
		preserved: { readonly headId: string; readonly anchorId: string; readonly tailId: string } | undefined,
	): void {
		this.create(link === undefined ? undefined : { id: link.id, parentId: null }, undefined, true);
		this.leaf = this.last;
		this.preserved = preserved;
	}

	/** Goes back: the last node for which `isStart` holds, counted `times` from the end, and all behind it leave the chain. */
	rewind(times: number, isStart: (member: Member) => boolean): void {
		let node = this.leaf;
		let remaining = times;
		for (let guard = this.nextOrder; node !== undefined && guard >= 0; guard--) {
			if (node.member !== undefined && isStart(node.member) && --remaining === 0) break;
			node = node.parent;
		}
		if (node === undefined) return;
		this.last = this.leaf = node.parent;
	}

	/** Brings the active chain up to date at a cost in proportion to what has changed. Calls `onChange` for each member that enters or leaves it. */
	refresh(onChange: (member: Member) => void): void {
		this.version++;
		if (this.isReparented) {
			this.isReparented = false;
			this.cutTo(0, onChange);
		}
		const entering: ChainNode<Member>[] = [];
		let node = this.leaf;
		for (let guard = this.nextOrder; node !== undefined && node.activeIndex === -1 && guard >= 0; guard--) {
			entering.push(node);
			node = node.parent;
		}
		this.cutTo(node === undefined ? 0 : node.activeIndex + 1, onChange);
		for (let index = entering.length - 1; index >= 0; index--) {
			const entered = entering[index];
			if (entered === undefined) continue;
			entered.activeIndex = this.active.length;
			this.active.push(entered);
			if (entered.member !== undefined && ++entered.member.activeLines === 1) onChange(entered.member);
		}
	}

	/** The line that was appended last. */
	get end(): ChainNode<Member> | undefined {
		return this.last;
	}

	/**
	 * Where on the active chain the line stands that `node` is: the node itself, or, for a line beside the chain, the nearest one above
	 * it that carries the same message. A line that a compaction preserved stands there as a copy.
	 */
	placeOf(node: ChainNode<Member>): ChainNode<Member> | undefined {
		let current: ChainNode<Member> | undefined = node;
		for (let guard = this.nextOrder; current !== undefined && current.activeIndex === -1 && guard >= 0; guard--) {
			current = current.parent;
		}
		if (current !== undefined && current.member === node.member) return current;
		return this.active.findLast((candidate) => candidate.member === node.member) ?? current;
	}

	/** The node of the active chain that follows `node`. */
	next(node: ChainNode<Member>): ChainNode<Member> | undefined {
		return node.activeIndex === -1 ? undefined : this.active[node.activeIndex + 1];
	}

	private create(link: ChainLink | undefined, member: Member | undefined, isRoot = false): ChainNode<Member> {
		const parent =
			link === undefined ? { node: isRoot ? undefined : this.last, isKnown: true } : this.parentOf(link);
		const node: ChainNode<Member> = {
			id: link?.id ?? '',
			parent: parent.node,
			member,
			order: this.nextOrder++,
			activeIndex: -1,
		};
		if (link !== undefined) {
			if (!parent.isKnown && link.parentId !== null) {
				if (node.order === 0 && this.nodes.size === 0) this.isHeadCut = true;
				const waiting = this.waiting.get(link.parentId);
				if (waiting === undefined) this.waiting.set(link.parentId, [node]);
				else waiting.push(node);
			}
			this.place(link.id, node);
		}
		this.last = node;
		return node;
	}

	private parentOf(link: ChainLink): { readonly node: ChainNode<Member> | undefined; readonly isKnown: boolean } {
		if (link.parentId === null) return { node: undefined, isKnown: true };
		const node = link.parentId === this.lastId ? this.lastOfId : this.nodes.get(link.parentId);
		return node === undefined ? { node: this.last, isKnown: false } : { node: node ?? undefined, isKnown: true };
	}

	private place(id: string, node: ChainNode<Member> | null): void {
		this.nodes.set(id, node);
		this.lastId = id;
		this.lastOfId = node;
		if (this.waiting.size > 0) this.settle(id, node ?? undefined);
	}

	/** Lines that came before their parent get it now. A parent that is its own descendant is refused: damaged files have such rings. */
	private settle(id: string, node: ChainNode<Member> | undefined): void {
		const waiting = this.waiting.get(id);
		if (waiting === undefined) return;
		this.waiting.delete(id);
		for (const child of waiting) {
			if (child === node || (node !== undefined && this.isAncestor(child, node))) continue;
			child.parent = node;
			this.isReparented = true;
		}
	}

	private isAncestor(candidate: ChainNode<Member>, node: ChainNode<Member>): boolean {
		let current: ChainNode<Member> | undefined = node;
		for (let guard = this.nextOrder; current !== undefined && guard >= 0; guard--) {
			if (current === candidate) return true;
			current = current.parent;
		}
		return false;
	}

	private insertPreserved(anchor: ChainNode<Member>): void {
		const { preserved } = this;
		this.preserved = undefined;
		if (preserved === undefined) return;
		const head = this.nodes.get(preserved.headId) ?? undefined;
		let node = this.nodes.get(preserved.tailId) ?? undefined;
		const kept: ChainNode<Member>[] = [];
		for (let guard = this.nextOrder; node !== undefined && guard >= 0; guard--) {
			kept.push(node);
			if (node === head) break;
			node = node.parent;
		}
		// A segment whose head cannot be reached is not known; then only the summary counts.
		if (node === undefined || node !== head) kept.length = 0;
		let parent = anchor;
		for (const original of kept.reverse()) {
			const copy: ChainNode<Member> = {
				id: original.id,
				parent,
				member: original.member,
				order: this.nextOrder++,
				activeIndex: -1,
			};
			this.nodes.set(copy.id, copy);
			parent = copy;
		}
		// Some versions go on under the preserved tail, others under the summary: both mean behind what was preserved.
		this.nodes.set(preserved.tailId, parent);
		this.nodes.set(preserved.anchorId, parent);
		this.lastId = preserved.anchorId;
		this.lastOfId = parent;
		this.last = this.leaf = parent;
	}

	private cutTo(length: number, onChange: (member: Member) => void): void {
		while (this.active.length > length) {
			const node = this.active.pop();
			if (node === undefined) return;
			node.activeIndex = -1;
			if (node.member !== undefined && --node.member.activeLines === 0) onChange(node.member);
		}
	}
}
