using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>The line of <c>m.room.server_acl</c>: which servers may take part. (Client-Server API, "Server Access Control Lists (ACLs) for rooms".)</summary>
internal static class ServerAclLine
{
    private sealed record Acl(List<string> Allow, List<string> Deny, bool IpAddresses);

    /// <summary>The line; <c>null</c> where content has a wrong type.</summary>
    public static string? Render(RenderContext context)
    {
        if (TypeCheck.Read(context.Event.Content, Read) is not { } now)
        {
            return null;
        }

        if (TypeCheck.Read(context.PreviousContent(), Read) is not { } before)
        {
            return $"*** {context.Sender} set which servers may take part: {All(now)}";
        }

        var changes = Changes(before, now);
        return changes.Count == 0
            ? $"*** {context.Sender} set which servers may take part again (nothing changed)"
            : $"*** {context.Sender} changed which servers may take part: {string.Join("; ", changes)}";
    }

    /// <summary>A list that is missing is empty; addresses are allowed unless they aren't.</summary>
    private static Acl Read(RawJson content, TypeCheck types) =>
        new(types.Strings(content["allow"u8]), types.Strings(content["deny"u8]), types.Boolean(content["allow_ip_literals"u8]) ?? true);

    private static string All(Acl now)
    {
        if (now.Allow.Count == 0)
        {
            return "none";
        }

        var allowed = now.Allow.Contains("*") ? "all" : Listed(now.Allow);
        var denied = now.Deny.Count == 0 ? "" : $" but {Listed(now.Deny)}";
        return $"{allowed}{denied}{(now.IpAddresses ? "" : "; no IP addresses")}";
    }

    private static List<string> Changes(Acl before, Acl now)
    {
        var changes = new List<string>();
        Add("denied", Prose.Except(now.Deny, before.Deny));
        Add("no longer denied", Prose.Except(before.Deny, now.Deny));
        Add("allowed", Prose.Except(now.Allow, before.Allow));
        Add("no longer allowed", Prose.Except(before.Allow, now.Allow));
        if (before.IpAddresses != now.IpAddresses)
        {
            changes.Add($"{(now.IpAddresses ? "allowed" : "denied")} IP addresses");
        }

        if (now.Allow.Count == 0 && changes.Count > 0)
        {
            changes.Add("none may take part now");
        }

        return changes;

        void Add(string words, List<string> servers)
        {
            if (servers.Count > 0)
            {
                changes.Add($"{words} {Listed(servers)}");
            }
        }
    }

    private static string Listed(List<string> servers) => Prose.List(servers.Select(SafeText.ServerName));
}
