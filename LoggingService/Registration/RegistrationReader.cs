using System.Buffers;

namespace LoggingService.Registration;

/// <summary>The checks of a registration file, key by key as Synapse checks them (synapse/config/appservice.py).</summary>
internal sealed class RegistrationReader
{
    private const string Unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// <summary>What Python's <c>urllib.parse.quote</c> leaves alone.</summary>
    private static readonly SearchValues<char> UnquotedCharacters = SearchValues.Create(Unreserved + "_.-~/");

    private static readonly SearchValues<char> PortableTokenCharacters = SearchValues.Create(Unreserved + "_-");

    /// <summary>The tokens of registration.example.yaml, and of the guide that it comes from.</summary>
    private static readonly string[] PublishedTokens = ["wfghWEGh3wgWHEf3478sHFWE", "ugw8243igya57aaABGFfgeyu"];

    private readonly List<string> warnings = [];
    private readonly YamlNode root;

    private RegistrationReader(YamlNode root) => this.root = root;

    internal static AppServiceRegistration Read(string path)
    {
        var root = YamlFile.Read(path);
        return root.Kind == YamlKind.Mapping
            ? new RegistrationReader(root).Check(path)
            : throw root.Mistake($"this is {root.Kind.InWords()}, and must be a registration: keys with values, like id: \"logging\"");
    }

    private AppServiceRegistration Check(string path)
    {
        var id = Id();
        var url = Url();
        var asToken = Token("as_token", "a secret that this service sends to the homeserver; make one with openssl rand -hex 32, here and in the homeserver's copy");
        var hsToken = Token("hs_token", "a secret that the homeserver sends to this service; make one with openssl rand -hex 32, here and in the homeserver's copy");
        if (asToken == hsToken)
        {
            Warn(root.Members["hs_token"], "is the same as as_token: whoever reads one has both; make them different");
        }

        var sender = SenderLocalpart();
        var namespaces = new RegistrationNamespaces(root.Required("namespaces", "say there which aliases are logged"));
        if (namespaces.Users.Count > 0)
        {
            Warn(namespaces.Node.Members["users"], "isn't empty: rooms of these users would be pushed here too, and aren't logged for it; make it []");
        }

        if (namespaces.Aliases.Count == 0 && namespaces.Rooms.Count == 0)
        {
            Warn(namespaces.Node, "has no aliases: nothing would be logged; add - {exclusive: false, regex: \"#logged_.*\"} to its aliases");
        }

        foreach (var regex in namespaces.Aliases.Count == 0 ? [] : namespaces.Node.Members["aliases"].AsList().Select(entry => entry.Members["regex"]))
        {
            if (regex.AsString() is [var first, ..] pattern && (char.IsAsciiLetterOrDigit(first) || first is '_' or '@' or '!') && !pattern.Contains('|'))
            {
                Warn(regex, $"\"{pattern}\" matches no alias, because an alias begins with #: write \"#{pattern.TrimStart('@', '!')}\"");
            }
        }

        RateLimited();
        RegistrationExtras.Check(root);
        FileMode(path);
        return new AppServiceRegistration
        {
            Id = id,
            Url = url,
            AsToken = asToken,
            HsToken = hsToken,
            SenderLocalpart = sender,
            Aliases = namespaces.Aliases,
            Rooms = namespaces.Rooms,
            Warnings = warnings,
        };
    }

    private void Warn(YamlNode node, string what) => warnings.Add(node.Remark(what));

    private string Id()
    {
        var node = root.Required("id", "a name of this service that no other one at the homeserver has, like \"logging\"");
        var id = NotEmpty(node);
        return id.Contains('|') ? throw node.Mistake("contains |, which the homeserver refuses: take it out") : id;
    }

    private Uri Url()
    {
        const string NothingPushed = "the homeserver would never push anything; say where it reaches this service, like \"http://localhost:5000\"";
        var node = root.Required("url", "say where the homeserver reaches this service, like \"http://localhost:5000\"");
        if (node.Kind == YamlKind.Null)
        {
            throw node.Mistake($"is null: {NothingPushed}");
        }

        var text = node.AsString();
        if (text is "" or "null")
        {
            throw node.Mistake($"is \"{text}\": {NothingPushed}");
        }

        // Uri takes white space off in silence, where the homeserver fails at every push.
        if (text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)))
        {
            throw node.Mistake("contains white space: take it out");
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.Host.Length == 0)
        {
            throw node.Mistake($"is \"{text}\", which is no address that begins with http:// or https://: write one like \"http://localhost:5000\"");
        }

        // Not repeated: it may hold a password.
        return url.Query.Length + url.Fragment.Length + url.UserInfo.Length == 0 && !text.Contains('?') && !text.Contains('#')
            ? url : throw node.Mistake("has a query (?), a fragment (#) or a user (@): leave only scheme, host, port and path");
    }

    private string Token(string key, string whatFor)
    {
        var node = root.Required(key, whatFor);
        var token = NotEmpty(node);
        if (token.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            throw node.Mistake("contains white space, a control character or one that isn't ASCII, and can't be sent in a header: make it of A-Z a-z 0-9 _ - only");
        }

        if (token.AsSpan().ContainsAnyExcept(PortableTokenCharacters))
        {
            Warn(node, "contains other characters than A-Z a-z 0-9 _ -, which some homeservers send in a way that reads differently: better leave them out");
        }

        if (PublishedTokens.Contains(token))
        {
            Warn(node, "is the one of the example, which everybody knows: make your own, here and in the homeserver's copy");
        }

        return token;
    }

    private string SenderLocalpart()
    {
        var node = root.Required("sender_localpart", "the name of the service's own user, like \"logging\"");
        var localpart = NotEmpty(node);
        return localpart.AsSpan().ContainsAnyExcept(UnquotedCharacters)
            ? throw node.Mistake("contains other characters than A-Z a-z 0-9 _ . - ~ /, which the homeserver refuses: write the part between @ and :, like \"logging\"")
            : localpart;
    }

    private void RateLimited()
    {
        const string Limited = "the homeserver would limit how fast rooms are made; make it false";
        if (!root.Has("rate_limited", out var node))
        {
            warnings.Add(YamlNode.RemarkIn(root.File, null, "rate_limited is missing, which means true: the homeserver would limit how fast rooms are made; add rate_limited: false"));
        }
        else if (node.Kind != YamlKind.Boolean)
        {
            Warn(node, $"is {node.Kind.InWords()}, which means true: {Limited}, without quotes");
        }
        else if (node.AsBoolean())
        {
            Warn(node, $"is true: {Limited}");
        }
    }

    private void FileMode(string path)
    {
        const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0)
        {
            warnings.Add(YamlNode.RemarkIn(path, null, $"every user of this machine can read the tokens in it: chmod o= {path}"));
        }
    }

    private static string NotEmpty(YamlNode node)
    {
        var text = node.AsString();
        return text.Length > 0 ? text : throw node.Mistake("is empty: give it a value");
    }
}
