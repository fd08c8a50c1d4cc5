using System.Net;

namespace LoggingService.Http;

/// <summary>A configured address to listen on.</summary>
/// <param name="Url">As configured.</param>
/// <param name="Setting">The setting that names it, where it was given.</param>
/// <param name="Advice">How to use another address, unless that is clear.</param>
internal sealed record ListenAddress(string Url, string Setting, string Advice = "")
{
    private static readonly string[] EndpointKeys = ["Url", "Protocols"];
    private static readonly string[] Protocols = ["Http1", "Http2", "Http1AndHttp2"];

    /// <summary>The addresses of <c>Kestrel:Endpoints</c>, which the web server prefers, or of <c>urls</c>; empty without both.</summary>
    public static IReadOnlyList<ListenAddress> ReadAll(IConfigurationRoot configuration)
    {
        var endpoints = configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => endpoint.GetSection("Url")).ToList();
        return endpoints.Count > 0
            ? [.. endpoints.Select(url => new ListenAddress(url.Value ?? "", SettingReader.NameOf(configuration, url.Path)))]
            : [.. (configuration["urls"] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(url => new ListenAddress(url, SettingReader.NameOf(configuration, "urls")))];
    }

    /// <summary>The address of the admin listener; <c>null</c> if it is off.</summary>
    public static ListenAddress? ReadAdmin(IConfigurationRoot configuration) => ReadUnlessOff(configuration, "LoggingService:Admin");

    /// <summary>Where the service lets the web pages listen; <c>null</c> if it starts none.</summary>
    public static ListenAddress? ReadPages(IConfigurationRoot configuration) => ReadUnlessOff(configuration, "LoggingService:Pages");

    /// <summary>Whether only this machine reaches the address. It must be valid.</summary>
    public bool IsLocal
    {
        get
        {
            var address = BindingAddress.Parse(Url);
            return address.IsUnixPipe
                || address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
                || (IPAddress.TryParse(address.Host, out var ip) && IPAddress.IsLoopback(ip));
        }
    }

    /// <summary>Whether only one of this and another valid address can be bound; port 0 is a different one each time.</summary>
    public bool Overlaps(ListenAddress other)
    {
        var address = BindingAddress.Parse(Url.ToLowerInvariant());
        var second = BindingAddress.Parse(other.Url.ToLowerInvariant());
        if (address.IsUnixPipe || second.IsUnixPipe)
        {
            return address.Equals(second);
        }

        var isSameHost = address.Host == second.Host || Covers(address.Host, second.Host) || Covers(second.Host, address.Host);
        return isSameHost && address.Port == second.Port && address.Port != 0;
    }

    /// <summary>Whether binding a host binds another one, too: localhost is two addresses, and any other name all of them.</summary>
    private static bool Covers(string host, string other)
    {
        if (host == "localhost")
        {
            return other is "127.0.0.1" or "[::1]";
        }

        return !IPAddress.TryParse(host, out var ip) || ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any);
    }

    /// <summary>Rejects what the web server would reject with exceptions that only their messages distinguish.</summary>
    /// <exception cref="ConfigurationException">An address or a setting of the web server is invalid.</exception>
    public static void CheckAll(IConfigurationRoot configuration)
    {
        var kestrel = new SettingReader(configuration, "Kestrel");
        kestrel.RejectUnknownKeys(["Endpoints", "EndpointDefaults"]);
        var endpoints = configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => endpoint.Path);
        foreach (var path in endpoints.Append("Kestrel:EndpointDefaults"))
        {
            var endpoint = new SettingReader(configuration, path);
            endpoint.RejectUnknownKeys(EndpointKeys);
            endpoint.ReadChoice("Protocols", Protocols);
        }

        foreach (var address in ReadAll(configuration).Concat([ReadAdmin(configuration), ReadPages(configuration)]).OfType<ListenAddress>())
        {
            if (address.DescribeInvalid() is { } error)
            {
                throw new ConfigurationException($"{address.Setting} is \"{address.Url}\": {error}");
            }
        }
    }

    private static ListenAddress? ReadUnlessOff(IConfigurationRoot configuration, string key) =>
        configuration[key] is { } url && !url.Trim().Equals("off", StringComparison.OrdinalIgnoreCase)
            ? new(url.Trim(), SettingReader.NameOf(configuration, key))
            : null;

    /// <summary>Why the web server would reject the address; <c>null</c> if it would not.</summary>
    public string? DescribeInvalid()
    {
        try
        {
            return BindingAddress.Parse(Url.ToLowerInvariant()) switch
            {
                { Scheme: not "http" } => "only http is supported; let a proxy terminate https",
                { PathBase: not "" } => "an address to listen on has no path; the path belongs into the registration's url",
                { IsNamedPipe: true } => "only Windows has named pipes",
                { Host: "localhost", Port: 0 } => "port 0 requires an IP address such as 127.0.0.1",
                { IsUnixPipe: false, Port: < 0 or > ushort.MaxValue } => "a port is 0 to 65535",

                // What follows the colon is no number.
                { IsUnixPipe: false, Host: var host } when host.Contains(':') && !host.StartsWith('[') => "a port is 0 to 65535",
                _ => null,
            };
        }
        catch (FormatException)
        {
            return "not a url such as http://localhost:5000";
        }
    }
}
