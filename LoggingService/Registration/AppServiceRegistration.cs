using System.Net;
using LoggingService.Options;
using LoggingService.PythonRegex;

namespace LoggingService.Registration;

/// <summary>
/// What the homeserver knows of this service: the registration file that both read.
/// </summary>
internal sealed class AppServiceRegistration
{
    internal AppServiceRegistration()
    {
    }

    /// <summary>The service's name at the homeserver, as in the path of its ping.</summary>
    public required string Id { get; init; }

    /// <summary>Where the homeserver pushes to: absolute, http or https, without query.</summary>
    public required Uri Url { get; init; }

    /// <summary><see cref="Url"/> as people write it: without a slash at its end.</summary>
    public string UrlText => Url.ToString().TrimEnd('/');

    /// <summary>The secret that this service sends to the homeserver.</summary>
    public required string AsToken { get; init; }

    /// <summary>The secret that the homeserver sends to this service: ASCII without white space.</summary>
    public required string HsToken { get; init; }

    /// <summary>The localpart of the service's own user.</summary>
    public required string SenderLocalpart { get; init; }

    /// <summary>The regular expressions of the aliases whose rooms are logged, as they are written.</summary>
    public IReadOnlyList<string> AliasPatterns => [.. Aliases.Select(pattern => pattern.ToString())];

    /// <summary>The regular expressions of the ids of rooms that are logged, as they are written.</summary>
    public IReadOnlyList<string> RoomPatterns => [.. Rooms.Select(pattern => pattern.ToString())];

    /// <summary>What the file allows but is hardly meant; a line each, with file and, mostly, line and key. No token is in them.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    internal IReadOnlyList<PythonPattern> Aliases { private get; init; } = [];

    internal IReadOnlyList<PythonPattern> Rooms { private get; init; } = [];

    /// <summary>
    /// Where the service listens, as for <c>--urls</c>: on the loopback address if <see cref="Url"/> names it, else on
    /// all addresses. <c>null</c> for https: somebody else ends TLS there, and only the admin knows where that one sends
    /// requests to.
    /// </summary>
    public string? ListenUrl => Url.Scheme == Uri.UriSchemeHttps ? null : $"http://{(IsLoopback ? Url.Host : "*")}:{Url.Port}";

    /// <summary>The path before <c>/_matrix</c> in what the homeserver requests, percent-encoded as in the request; empty or <c>/…</c>, never ending in a slash.</summary>
    public string PathBase => Url.AbsolutePath.TrimEnd('/');

    private bool IsLoopback => Url.Host == "localhost" || (IPAddress.TryParse(Url.Host, out var address) && IPAddress.IsLoopback(address));

    /// <summary>Reads and checks a registration, as Synapse does and where it doesn't but would fail later.</summary>
    /// <param name="path">The file; what is wrong with it is told with the path as it is given.</param>
    /// <exception cref="ConfigurationException">The file can't be read or has a mistake: file, line, key and what to do, in one line.</exception>
    public static AppServiceRegistration Read(string path) => RegistrationReader.Read(path);

    /// <summary>Whether rooms with this alias (<c>#local:server</c>) are logged.</summary>
    /// <exception cref="TimeoutException">It can't be decided.</exception>
    public bool IsLoggedAlias(string alias) => IsMatch(Aliases, alias);

    /// <summary>Whether a room with this id is logged whatever its aliases are.</summary>
    /// <exception cref="TimeoutException">It can't be decided.</exception>
    public bool IsLoggedRoom(string roomId) => IsMatch(Rooms, roomId);

    private static bool IsMatch(IReadOnlyList<PythonPattern> patterns, string text)
    {
        TimeoutException? undecided = null;
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
                undecided = e;
            }
        }

        return undecided is null ? false : throw undecided;
    }
}
