namespace LoggingService.Rendering;

/// <summary>The line of <c>m.room.server_acl</c>. (Client-Server API, "Server Access Control Lists (ACLs) for rooms".)</summary>
internal static class ServerAclLine
{
    private sealed record Acl(List<string> Allow, List<string> Deny, bool AllowsIpAddresses);

    public static string? Render(RenderContext context) => context.ChangeSentence(
        static (content, types) => new Acl(
            types.Strings(content["allow"u8]),
            types.Strings(content["deny"u8]),
            types.Boolean(content["allow_ip_literals"u8]) ?? true),
        static (current, previous) => previous is null
            ? $"set which servers may take part: {DescribeAll(current)}"
            : DescribeChanges(previous, current) is { Count: > 0 } changes
                ? $"changed which servers may take part: {string.Join("; ", changes)}"
                : "set which servers may take part again (nothing changed)");

    private static string DescribeAll(Acl acl)
    {
        if (acl.Allow.Count == 0)
        {
            return "none";
        }

        var allowed = acl.Allow.Contains("*") ? "all" : List(acl.Allow);
        var denied = acl.Deny.Count == 0 ? "" : $" but {List(acl.Deny)}";
        return $"{allowed}{denied}{(acl.AllowsIpAddresses ? "" : "; no IP addresses")}";
    }

    private static List<string> DescribeChanges(Acl previous, Acl current)
    {
        string?[] changes =
        [
            Describe("denied", Prose.Except(current.Deny, previous.Deny)),
            Describe("no longer denied", Prose.Except(previous.Deny, current.Deny)),
            Describe("allowed", Prose.Except(current.Allow, previous.Allow)),
            Describe("no longer allowed", Prose.Except(previous.Allow, current.Allow)),
            previous.AllowsIpAddresses == current.AllowsIpAddresses ? null
                : $"{(current.AllowsIpAddresses ? "allowed" : "denied")} IP addresses",
        ];
        List<string> list = [.. changes.OfType<string>()];
        return current.Allow.Count == 0 && list.Count > 0 ? [.. list, "none may take part now"] : list;

        static string? Describe(string verb, List<string> servers) => servers.Count == 0 ? null : $"{verb} {List(servers)}";
    }

    private static string List(List<string> servers) => Prose.List(servers.Select(SafeText.ServerName));
}
