using System.Buffers;

namespace LoggingService.Registration;

/// <summary>Checks a registration file key by key, as Synapse does (synapse/config/appservice.py).</summary>
internal sealed class RegistrationReader
{
    private const string NewToken = "make one with openssl rand -hex 32, here and in the homeserver's copy";
    private const string UrlExample = "use one such as \"http://localhost:5000\"";
    private const string NamespaceExample = "{exclusive: false, regex: \"#logged_.*\"}";
    private const string Unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    // What Python's urllib.parse.quote leaves unescaped.
    private static readonly SearchValues<char> UnquotedCharacters = SearchValues.Create(Unreserved + "_.-~/");

    private static readonly SearchValues<char> PortableTokenCharacters = SearchValues.Create(Unreserved + "_-");

    // Those of registration.example.yaml and of the guide that it comes from.
    private static readonly string[] PublishedTokens = ["wfghWEGh3wgWHEf3478sHFWE", "ugw8243igya57aaABGFfgeyu"];

    private readonly YamlValue _root;
    private readonly List<RegistrationWarning> _warnings = [];

    private RegistrationReader(YamlValue root) => _root = root;

    private YamlValue Namespaces => _root.Require("namespaces", "add it with the aliases to log").AsMapping("{aliases: []}");

    /// <exception cref="ConfigurationException">One line with file, line, key and what to do.</exception>
    public static AppServiceRegistration Read(string path) =>
        Read(YamlFile.Read(path));

    /// <inheritdoc cref="Read(string)"/>
    public static AppServiceRegistration Read(YamlValue document) =>
        new RegistrationReader(document.AsMapping("id: \"logging\"")).Read();

    private AppServiceRegistration Read()
    {
        var registration = new AppServiceRegistration
        {
            Id = ReadId(),
            Url = ReadUrl(),
            AsToken = ReadToken("as_token", $"the secret that this service sends to the homeserver; {NewToken}"),
            HsToken = ReadToken("hs_token", $"the secret that the homeserver sends to this service; {NewToken}"),
            SenderLocalpart = ReadSenderLocalpart(),
            RoomNamespaces = ReadPatterns("rooms"),
            AliasNamespaces = ReadPatterns("aliases"),
            Warnings = _warnings,
        };
        if (registration.AsToken == registration.HsToken)
        {
            Warn(_root.Find("hs_token")!, "is the same as as_token: use two different tokens");
        }

        if (ReadPatterns("users").Count > 0)
        {
            Warn(Namespaces.Find("users")!, "isn't empty: the homeserver pushes these users' rooms too, which aren't logged; set it to []");
        }

        // Nothing, or nothing of this kind, would be logged.
        Namespaces.RejectMisspelled("aliases");
        Namespaces.RejectMisspelled("rooms");
        if (registration.AliasNamespaces.Count == 0 && registration.RoomNamespaces.Count == 0)
        {
            Warn(Namespaces, $"has no aliases: nothing would be logged; add {NamespaceExample} to its aliases");
        }

        CheckRateLimited();
        if ((File.GetUnixFileMode(_root.File) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != 0)
        {
            _warnings.Add(new(_root.File, "the file", $"lets every user of this machine access its tokens: chmod o= {_root.File}"));
        }

        return registration;
    }

    private void Warn(YamlValue value, string reason) => _warnings.Add(value.Warning(reason));

    private (YamlValue Value, string Text) ReadText(string key, string hint)
    {
        var value = _root.Require(key, hint);
        var text = value.AsString();
        return text.Length > 0 ? (value, text) : throw value.Error($"is empty: {hint}");
    }

    private string ReadId()
    {
        var (value, id) = ReadText("id", "choose a name that no other service of the homeserver has, such as \"logging\"");
        return id.Contains('|') ? throw value.Error("contains |, which the homeserver refuses: remove it") : id;
    }

    private Uri ReadUrl()
    {
        var value = _root.Require("url", $"the address where the homeserver reaches this service; {UrlExample}");
        return HttpUrl.TryParse(value.AsString(), out var url, out var error) ? url : throw value.Error($"{error}: {UrlExample}");
    }

    private string ReadToken(string key, string hint)
    {
        var (value, token) = ReadText(key, hint);
        if (token.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            throw value.Error("has white space, control or non-ASCII characters, which a header can't carry: use only A-Z a-z 0-9 _ -");
        }

        if (token.AsSpan().ContainsAnyExcept(PortableTokenCharacters))
        {
            Warn(value, "has characters other than A-Z a-z 0-9 _ -, which some homeservers encode differently: avoid them");
        }

        if (PublishedTokens.Contains(token))
        {
            Warn(value, $"is the published example token: {NewToken}");
        }

        return token;
    }

    private string ReadSenderLocalpart()
    {
        var (value, localpart) = ReadText("sender_localpart", "the name of the service's own user, such as \"logging\"");
        return localpart.AsSpan().ContainsAnyExcept(UnquotedCharacters)
            ? throw value.Error("has characters other than A-Z a-z 0-9 _ . - ~ /, which the homeserver refuses: remove them")
            : localpart;
    }

    private List<NamespacePattern> ReadPatterns(string key)
    {
        var patterns = new List<NamespacePattern>();
        foreach (var entry in Namespaces.Find(key)?.AsList() ?? [])
        {
            var regex = entry.AsMapping(NamespaceExample).Require("regex", "add the regular expression");
            var python = regex.AsString();
            entry.Require("exclusive", "add exclusive: false").AsBoolean();
            try
            {
                patterns.Add(new NamespacePattern(python));
            }
            catch (ArgumentException e)
            {
                throw regex.Error($"can't be used: {e.Message}");
            }

            var startsLikeNoAlias = python.Length > 0 && (char.IsAsciiLetterOrDigit(python[0]) || "_@!".Contains(python[0]));
            if (key == "aliases" && startsLikeNoAlias && !python.Contains('|'))
            {
                Warn(regex, $"\"{python}\" matches no alias, since aliases start with #: use \"#{python.TrimStart('@', '!')}\"");
            }
        }

        return patterns;
    }

    private void CheckRateLimited()
    {
        var value = _root.Find("rate_limited");
        if (value is not null && value.IsBoolean && !value.AsBoolean())
        {
            return;
        }

        const string Advice = "the homeserver would limit how fast rooms are created; set it to false, without quotes";
        _warnings.Add(value is null
            ? new(_root.File, "rate_limited", $"is missing, which means true: {Advice}")
            : value.Warning($"is {(value.IsBoolean ? "true" : $"{value.Type}, which means true")}: {Advice}"));
    }
}
