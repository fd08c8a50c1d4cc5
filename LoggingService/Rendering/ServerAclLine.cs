namespace LoggingService.Rendering;

/// <summary>The line of <c>m.room.server_acl</c>. (Client-Server API, "Server Access Control Lists (ACLs) for rooms".)</summary>
internal static class ServerAclLine
{
    private sealed record Acl(List<Utf8Text> Allow, List<Utf8Text> Deny, bool AllowsIpAddresses);

    public static bool Render(RenderContext context) => context.ChangeSentence(
        static (content, types) => new Acl(
            types.Strings(content["allow"u8]),
            types.Strings(content["deny"u8]),
            types.Boolean(content["allow_ip_literals"u8]) ?? true),
        static (current, previous) => previous is null
            ? $"set which servers may take part: {DescribeAll(current)}"
            : DescribeChanges(previous, current) is { Count: > 0 } changes
                ? $"changed which servers may take part: {Prose.List(changes, "; ")}"
                : "set which servers may take part again (nothing changed)"u8);

    private static Phrase DescribeAll(Acl acl)
    {
        if (acl.Allow.Count == 0)
        {
            return "none"u8;
        }

        var allowed = acl.Allow.Exists(static server => server.Span.SequenceEqual("*"u8)) ? "all"u8 : List(acl.Allow);
        var denied = acl.Deny.Count == 0 ? Phrase.None : $" but {List(acl.Deny)}";
        return $"{allowed}{denied}{(acl.AllowsIpAddresses ? ""u8 : "; no IP addresses"u8)}";
    }

    private static List<Phrase> DescribeChanges(Acl previous, Acl current)
    {
        Phrase?[] changes =
        [
            Describe("denied"u8, Prose.Except(current.Deny, previous.Deny)),
            Describe("no longer denied"u8, Prose.Except(previous.Deny, current.Deny)),
            Describe("allowed"u8, Prose.Except(current.Allow, previous.Allow)),
            Describe("no longer allowed"u8, Prose.Except(previous.Allow, current.Allow)),
            previous.AllowsIpAddresses == current.AllowsIpAddresses ? Phrase.None
                : $"{(current.AllowsIpAddresses ? "allowed"u8 : "denied"u8)} IP addresses",
        ];
        List<Phrase> list = [.. changes.OfType<Phrase>()];
        return current.Allow.Count == 0 && list.Count > 0 ? [.. list, "none may take part now"u8] : list;

        static Phrase? Describe(ReadOnlySpan<byte> verb, List<Utf8Text> servers) =>
            servers.Count == 0 ? Phrase.None : $"{verb} {List(servers)}";
    }

    private static Phrase List(List<Utf8Text> servers) => Prose.List(servers, SafeText.ServerName);
}
