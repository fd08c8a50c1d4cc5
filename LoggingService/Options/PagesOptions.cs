using System.Net;

namespace LoggingService.Options;

/// <summary>The settings of section <c>Pages</c>: of the command <c>pages</c>.</summary>
internal sealed class PagesOptions
{
    private PagesOptions(SettingReader settings)
    {
        Urls = settings.ReadText(nameof(Urls), "http://localhost:5002");
        PathPrefix = ReadPrefix(settings);
        Contact = settings.ReadText(nameof(Contact), "none") is var contact && contact == "none" ? null : contact;
        Proxies =
        [
            .. settings.ReadList(nameof(Proxies), text => IPAddress.TryParse(text, out _), "a list of addresses", "an IP address")
                .Select(IPAddress.Parse),
        ];
        if (Proxies.Count == 0)
        {
            // A proxy of the same machine may use either address of localhost.
            Proxies = [IPAddress.Loopback, IPAddress.IPv6Loopback];
        }

        RobotsAllowed = settings.ReadList(
            nameof(RobotsAllowed), text => text.Length > 1 && text[0] is '#' or '!', "a list of rooms", "the alias or the id of a room");
    }

    public static IReadOnlyList<string> Keys { get; } =
        [nameof(Urls), nameof(PathPrefix), nameof(Contact), nameof(Proxies), nameof(RobotsAllowed)];

    /// <summary>Where the pages listen, with semicolons between them.</summary>
    public string Urls { get; }

    /// <summary>What the path of each address begins with: empty, or <c>/logs</c>.</summary>
    public string PathPrefix { get; }

    /// <summary>Where readers report what should not be shown: an address for mail or of a page; <c>null</c> if there is none.</summary>
    public string? Contact { get; }

    /// <summary>Only these proxies are believed what they say about the client.</summary>
    public IReadOnlyList<IPAddress> Proxies { get; }

    /// <summary>The rooms, by alias or id, that search engines may index.</summary>
    public IReadOnlyList<string> RobotsAllowed { get; }

    /// <exception cref="ConfigurationException">A value is invalid, or a key is unknown.</exception>
    public static PagesOptions Read(IConfigurationRoot configuration)
    {
        var settings = new SettingReader(configuration, "Pages");
        settings.RejectUnknownKeys(Keys);
        return new(settings);
    }

    private static string ReadPrefix(SettingReader settings)
    {
        var prefix = settings.ReadText(nameof(PathPrefix), "/").TrimEnd('/');
        var isPath = prefix.Length == 0
            || (prefix[0] == '/' && prefix[1..].Split('/').All(part => part is not ("" or "." or "..") && part.All(IsPathCharacter)));
        return isPath ? prefix : throw settings.Error(nameof(PathPrefix), "must be a path such as /logs");
    }

    private static bool IsPathCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~';
}
