using System.Net;

namespace LoggingService.Registration;

/// <summary>The registration file of this application service, which the homeserver reads too.</summary>
internal sealed class AppServiceRegistration
{
    public required string Id { get; init; }

    /// <summary>Where the homeserver pushes to: absolute, http or https, without query.</summary>
    public required Uri Url { get; init; }

    public string UrlText => Url.ToString().TrimEnd('/');

    /// <summary>The secret that this service sends to the homeserver.</summary>
    public required string AsToken { get; init; }

    /// <summary>The secret that the homeserver sends to this service: ASCII without white space.</summary>
    public required string HsToken { get; init; }

    public required string SenderLocalpart { get; init; }

    /// <summary>Suspicious values. The warnings contain no token.</summary>
    public required IReadOnlyList<RegistrationWarning> Warnings { get; init; }

    public required IReadOnlyList<NamespacePattern> AliasNamespaces { get; init; }

    public required IReadOnlyList<NamespacePattern> RoomNamespaces { get; init; }

    /// <summary>
    /// Where the service listens, as for <c>--urls</c>: on the loopback address if <see cref="Url"/> names it, else on all
    /// addresses. <c>null</c> for https: a proxy terminates TLS, and only the admin knows where it forwards to.
    /// </summary>
    public string? ListenUrl => Url.Scheme == Uri.UriSchemeHttps ? null : $"http://{(IsLoopback ? Url.Host : "*")}:{Url.Port}";

    /// <summary>The path before <c>/_matrix</c> in requests, percent-encoded; empty or <c>/…</c> without a final slash.</summary>
    public string PathBase => Url.AbsolutePath.TrimEnd('/');

    private bool IsLoopback => Url.Host == "localhost" || (IPAddress.TryParse(Url.Host, out var address) && IPAddress.IsLoopback(address));

    /// <summary>Whether rooms with this alias (<c>#local:server</c>) are logged.</summary>
    /// <exception cref="TimeoutException">Undecided: no pattern matched, and one timed out.</exception>
    public bool MatchesAliasNamespace(string alias) => IsMatch(AliasNamespaces, alias);

    /// <summary>Whether a room with this id is logged, whatever its aliases.</summary>
    /// <exception cref="TimeoutException">Undecided: no pattern matched, and one timed out.</exception>
    public bool MatchesRoomNamespace(string roomId) => IsMatch(RoomNamespaces, roomId);

    /// <summary>The keys, without those of the tokens, whose values differ in another registration.</summary>
    public IEnumerable<string> FindChangedKeys(AppServiceRegistration other) =>
        from pair in DescribeKeys().Zip(other.DescribeKeys())
        where pair.First != pair.Second
        select pair.First.Key;

    private (string Key, string Value)[] DescribeKeys() =>
    [
        ("id", Id),
        ("url", UrlText),
        ("sender_localpart", SenderLocalpart),
        ("namespaces", $"{string.Join('\n', AliasNamespaces)}\n\n{string.Join('\n', RoomNamespaces)}"),
    ];

    private static bool IsMatch(IReadOnlyList<NamespacePattern> patterns, string text)
    {
        TimeoutException? timeout = null;
        foreach (var pattern in patterns)
        {
            try
            {
                if (pattern.IsMatch(text))
                {
                    return true;
                }
            }
            catch (TimeoutException e)
            {
                timeout = e;
            }
        }

        return timeout is null ? false : throw timeout;
    }
}

/// <summary>The location is the file, with the line if the key has one; the reason is a phrase that follows the key.</summary>
internal sealed record RegistrationWarning(string Location, string Key, string Reason)
{
    public override string ToString() => $"{Location}: {Key} {Reason}".ReplaceLineEndings(" ");
}
