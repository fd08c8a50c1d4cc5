using System.Runtime.Versioning;
using System.Text;
using LoggingService.Options;
using LoggingService.Registration;

namespace LoggingService.Tests;

[UnsupportedOSPlatform("windows")]
public sealed class RegistrationTests : IDisposable
{
    private const string Good =
        """
        id: "logging"
        url: "http://localhost:5000"
        as_token: "as-secret"
        hs_token: "hs_secret"
        sender_localpart: "logging"
        rate_limited: false
        namespaces:
          aliases:
            - exclusive: false
              regex: "#logged_.*"

        """;

    private const string NewToken = "make one with openssl rand -hex 32, here and in the homeserver's copy";
    private const string UrlExample = "use one such as \"http://localhost:5000\"";
    private const string Header = "has white space, control or non-ASCII characters, which a header can't carry: use only A-Z a-z 0-9 _ -";
    private const string Quotes = "in YAML 1.1 and must be a string: put it in double quotes";
    private const string Empty = "is null or empty: put a string in double quotes (without them, # starts a comment)";
    private const string Merge = "the merge key <<, which isn't supported: list the merged keys instead";
    private const string Limited = "the homeserver would limit how fast rooms are created; set it to false, without quotes";
    private const string Unclosed = "look above and below for an unclosed bracket or quote and for wrong indentation";
    private const string Backslash = @" \(in double quotes, a backslash is written twice\)";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("registration");

    private string Path => System.IO.Path.Combine(_folder.FullName, "registration.yaml");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void The_example_registration_is_read()
    {
        var registration = RegistrationReader.Read("registration.example.yaml");

        Assert.Equal("logging", registration.Id);
        Assert.Equal("http://localhost:5000/", registration.Url.AbsoluteUri);
        Assert.Equal("wfghWEGh3wgWHEf3478sHFWE", registration.AsToken);
        Assert.Equal("ugw8243igya57aaABGFfgeyu", registration.HsToken);
        Assert.Equal("logging", registration.SenderLocalpart);
        Assert.True(registration.MatchesAliasNamespace("#logged_test:example.org"));
        Assert.False(registration.MatchesAliasNamespace("#other:example.org"));
        Assert.False(registration.MatchesRoomNamespace("!room:example.org"));
        Assert.Contains($"registration.example.yaml:10: as_token is the published example token: {NewToken}", Lines(registration));
        Assert.Contains($"registration.example.yaml:11: hs_token is the published example token: {NewToken}", Lines(registration));
    }

    [Fact]
    public void A_plain_registration_has_no_warnings() => Assert.Empty(Read(Good).Warnings);

    [Theory]
    [InlineData("rate_limited: Off")]
    [InlineData("rate_limited: false\npush: {x: [1, ~]}\nprotocols: [\"irc\"]\nio.element.msc4190: yes\nip_range_whitelist: [\"::1\"]")]
    public void YAML_1_1_booleans_and_unknown_keys_are_accepted(string yaml) =>
        Assert.Empty(Read(Good.Replace("rate_limited: false", yaml)).Warnings);

    [Fact]
    public void Rooms_are_logged_by_id_where_the_registration_has_a_rooms_namespace()
    {
        var registration = Read(Good.Replace("  aliases:", "  rooms:").Replace("#logged_.*", "!a.*"));

        Assert.True(registration.MatchesRoomNamespace("!abc"));
        Assert.False(registration.MatchesRoomNamespace("!ba"));
        Assert.False(registration.MatchesAliasNamespace("#logged_a:example.org"));
        Assert.Empty(registration.Warnings);
    }

    [Theory]
    [InlineData("http://localhost:5000", "http://localhost:5000", "")]
    [InlineData("http://LOCALHOST:5000/", "http://localhost:5000", "")]
    [InlineData("http://127.0.0.1:5000/a/b/", "http://127.0.0.1:5000", "/a/b")]
    [InlineData("http://[::1]:5000/a%20b", "http://[::1]:5000", "/a%20b")]
    [InlineData("http://localhost", "http://localhost:80", "")]
    [InlineData("http://logging:5000", "http://*:5000", "")]
    [InlineData("http://10.0.0.7", "http://*:80", "")]
    [InlineData("https://localhost:5000/x", null, "/x")]
    public void The_service_listens_at_the_url(string url, string? listens, string pathBase)
    {
        var registration = Read(Good.Replace("http://localhost:5000", url));

        Assert.Equal(listens, registration.ListenUrl);
        Assert.Equal(pathBase, registration.PathBase);
    }

    [Theory]
    [InlineData("id: \"logging\"", "", ": id is missing: choose a name that no other service of the homeserver has, such as \"logging\"")]
    [InlineData("url: \"http://localhost:5000\"", "",
        $": url is missing: the address where the homeserver reaches this service; {UrlExample}")]
    [InlineData("as_token: \"as-secret\"", "", $": as_token is missing: the secret that this service sends to the homeserver; {NewToken}")]
    [InlineData("hs_token: \"hs_secret\"", "", $": hs_token is missing: the secret that the homeserver sends to this service; {NewToken}")]
    [InlineData("sender_localpart: \"logging\"", "",
        ": sender_localpart is missing: the name of the service's own user, such as \"logging\"")]
    [InlineData("namespaces:", "names:", ": namespaces is missing: add it with the aliases to log")]
    [InlineData("namespaces:", "name_spaces:", ":7: name_spaces is not a key of a registration. Did you mean namespaces?")]
    [InlineData("hs_token:", "hs_tokn:", ":4: hs_tokn is not a key of a registration. Did you mean hs_token?")]
    [InlineData("aliases:", "alias:", ":8: namespaces.alias is not a key of a registration. Did you mean aliases?")]
    [InlineData("aliases:", "aliasses:", ":8: namespaces.aliasses is not a key of a registration. Did you mean aliases?")]
    [InlineData("regex:", "regexp:", ":10: namespaces.aliases[0].regexp is not a key of a registration. Did you mean regex?")]
    [InlineData("http://localhost:5000", "http://localhost:99999", $":2: url has the port 99999; a port is 1 to 65535: {UrlExample}")]
    [InlineData("\"logging\"\nurl", "\"a|b\"\nurl", ":1: id contains |, which the homeserver refuses: remove it")]
    [InlineData("\"logging\"\nurl", "\"\"\nurl",
        ":1: id is empty: choose a name that no other service of the homeserver has, such as \"logging\"")]
    [InlineData("\"logging\"\nurl", "no\nurl", $":1: id is a boolean {Quotes}")]
    [InlineData("\"logging\"\nurl", "[a]\nurl", ":1: id is a list and must be a string")]
    [InlineData("\"hs_secret\"", "2024-01-01", $":4: hs_token is a date {Quotes}")]
    [InlineData("\"hs_secret\"", "1_0.5", $":4: hs_token is a number {Quotes}")]
    [InlineData("\"hs_secret\"", "~", $":4: hs_token {Empty}")]
    [InlineData("\"hs_secret\"", "", $":4: hs_token {Empty}")]
    [InlineData("\"hs_secret\"", "\"pass wörd\"", $":4: hs_token {Header}")]
    [InlineData("\"as-secret\"", "\"a\\tb\"", $":3: as_token {Header}")]
    [InlineData("sender_localpart: \"logging\"", "sender_localpart: \"a+b\"",
        ":5: sender_localpart has characters other than A-Z a-z 0-9 _ . - ~ /, which the homeserver refuses: remove them")]
    [InlineData("\"http://localhost:5000\"", "null", $":2: url {Empty}")]
    [InlineData("\"http://localhost:5000\"", "\"\"", $":2: url is \"\", which is not an absolute http:// or https:// URL: {UrlExample}")]
    [InlineData("\"http://localhost:5000\"", "localhost:5000",
        $":2: url is \"localhost:5000\", which is not an absolute http:// or https:// URL: {UrlExample}")]
    [InlineData("\"http://localhost:5000\"", "5000", $":2: url is a number {Quotes}")]
    [InlineData("\"http://localhost:5000\"", "\"http://localhost:5000 \"", $":2: url contains white space: {UrlExample}")]
    [InlineData("\"http://localhost:5000\"", "\"http://localhost:5000/?x\"",
        $":2: url has a query (?), a fragment (#) or a user (@): {UrlExample}")]
    [InlineData("rate_limited: false", "id: \"x\"", ":6: id is not valid YAML: Duplicate key id")]
    [InlineData("regex: \"#logged_.*\"", "regex: \"#logged_.*\"\n      regex: \"x\"", ":11: regex is not valid YAML: Duplicate key regex")]
    [InlineData("regex: \"#logged_.*\"", "regex: #logged_.*", $":10: namespaces.aliases[0].regex {Empty}")]
    [InlineData("regex: \"#logged_.*\"", "regex: !x.*",
        ":10: namespaces.aliases[0].regex starts with !, a tag in YAML: put it in double quotes")]
    [InlineData("regex: \"#logged_.*\"", "regex: *x", ":10: regex refers to an unknown YAML alias (*): put the value in double quotes")]
    [InlineData("exclusive: false", "exclusive: \"no\"",
        ":9: namespaces.aliases[0].exclusive is a string and must be true or false, without quotes")]
    [InlineData("exclusive: false", "exclusive: 0", ":9: namespaces.aliases[0].exclusive is a number and must be true or false")]
    [InlineData("exclusive: false", "group_id: x", ":9: namespaces.aliases[0] has no exclusive: add exclusive: false")]
    [InlineData("regex: \"#logged_.*\"", "group_id: x", ":9: namespaces.aliases[0] has no regex: add the regular expression")]
    [InlineData("    - exclusive: false\n      regex: \"#logged_.*\"", "    - \"#logged_.*\"",
        ":9: namespaces.aliases[0] is a string and must be a mapping such as {exclusive: false, regex: \"#logged_.*\"}")]
    [InlineData("  aliases:\n", "  users:\n  aliases:\n", ":8: namespaces.users is null and must be a list (an empty one is [])")]
    [InlineData("  aliases:\n", "  rooms: {}\n  aliases:\n", ":8: namespaces.rooms is a mapping and must be a list (an empty one is [])")]
    [InlineData("rate_limited: false", "<<: {a: b}", $":6: the document has {Merge}")]
    [InlineData("exclusive: false", "<<:\n        exclusive: false", $":9: namespaces.aliases[0] has {Merge}")]
    [InlineData("rate_limited: false", "---", ":7: a second document (---): a registration is one document")]
    [InlineData("rate_limited: false", "# \u0007", ":6: control character U+0007, which YAML doesn't allow: remove it")]
    public void An_error_is_one_line_with_file_line_and_key(string right, string wrong, string line)
    {
        Assert.Contains(right, Good);
        Assert.Equal(Path + line, ErrorOf(Good.Replace(right, wrong)));
    }

    [Theory]
    [InlineData("", ": the file is empty: delete it and start the service, which creates a new one")]
    [InlineData("# nothing\n", ": the file is empty: delete it and start the service, which creates a new one")]
    [InlineData("\n- id: x\n", ":2: the document is a list and must be a mapping such as id: \"logging\"")]
    [InlineData("hello", ":1: the document is a string and must be a mapping such as id: \"logging\"")]
    [InlineData("namespaces: x\nid: a\nurl: http://a\nas_token: a\nhs_token: b\nsender_localpart: c",
        ":1: namespaces is a string and must be a mapping such as {aliases: []}")]
    public void A_file_that_is_not_a_registration_is_a_one_line_error(string text, string line) => Assert.Equal(Path + line, ErrorOf(text));

    [Fact]
    public void Invalid_YAML_is_a_one_line_error_with_the_line_and_the_key()
    {
        Assert.Matches($"^{Path}:4: hs_token is not valid YAML: [^\n]+$", ErrorOf(Good.Replace("\"hs_secret\"", "@x")));
        Assert.Matches($"^{Path}:4: hs_token is not valid YAML: [^\n]+$", ErrorOf(Good.Replace("\"hs_secret\"", "\"hs_secret")));
        Assert.Equal(
            $"{Path}:2: url is not valid YAML: {Unclosed}",
            ErrorOf("id: a\nurl: [b\nas_token: c\n"));
        Assert.Equal($"{Path}:11: this line is not valid YAML: {Unclosed}", ErrorOf(Good.Replace("  aliases:", " : aliases:")));
        const string tab = "this line is indented with a tab, which YAML doesn't allow: use spaces";
        Assert.Equal($"{Path}:9: {tab}", ErrorOf(Good.Replace("    - ex", "  \t  - ex")));
        Assert.Equal($"{Path}:9: {tab}", ErrorOf(Good.Replace("    - ex", "\t- ex")));
        Assert.Equal($"{Path}:8: {tab}", ErrorOf(Good.Replace("  aliases", "\taliases")));
        Assert.Matches($@"^{Path}:10: regex is not valid YAML: [^\n]+{Backslash}$", ErrorOf(Good.Replace("#logged_.*", @"#logged\.x")));
    }

    [Theory]
    [InlineData("#(logged_", "Invalid pattern '#(logged_' at offset 9. Not enough )'s.")]
    [InlineData("#(logged\\n", "Invalid pattern '#(logged ' at offset 9. Not enough )'s.")]
    public void A_pattern_that_cannot_be_parsed_is_a_one_line_error_with_the_reason(string regex, string reason) =>
        Assert.Equal($"{Path}:10: namespaces.aliases[0].regex can't be used: {reason}", ErrorOf(Good.Replace("#logged_.*", regex)));

    [Fact]
    public void A_byte_order_mark_is_skipped()
    {
        File.WriteAllText(Path, Good, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));

        Assert.Equal("logging", RegistrationReader.Read(Path).Id);
    }

    [Fact]
    public void Text_that_is_not_UTF_8_is_an_error_with_the_line()
    {
        File.WriteAllBytes(Path, Encoding.Latin1.GetBytes("id: \"logging\"\n# ä\n"));

        Assert.Equal($"{Path}:2: the text is not UTF-8: save the file as UTF-8", ErrorOfFile(Path));
    }

    [Fact]
    public void A_missing_file_and_a_folder_are_one_line_errors()
    {
        Assert.Equal($"{Path}: no such file: put the registration of the homeserver here", ErrorOfFile(Path));
        Assert.Equal($"{_folder.FullName}: this is a folder and must be the registration file", ErrorOfFile(_folder.FullName));
    }

    [Theory]
    [InlineData("  aliases:\n", "  users:\n    - {exclusive: true, regex: \"@x.*\"}\n  aliases:\n",
        ":9: namespaces.users isn't empty: the homeserver pushes these users' rooms too, which aren't logged; set it to []")]
    [InlineData("    - exclusive: false\n      regex: \"#logged_.*\"", "    []",
        ":8: namespaces has no aliases: nothing would be logged; add {exclusive: false, regex: \"#logged_.*\"} to its aliases")]
    [InlineData("#logged_.*", "@logged_.*",
        ":10: namespaces.aliases[0].regex \"@logged_.*\" matches no alias, since aliases start with #: use \"#logged_.*\"")]
    [InlineData("rate_limited: false", "", $": rate_limited is missing, which means true: {Limited}")]
    [InlineData("rate_limited: false", "rate_limited: on", $":6: rate_limited is true: {Limited}")]
    [InlineData("rate_limited: false", "rate_limited: \"false\"", $":6: rate_limited is a string, which means true: {Limited}")]
    [InlineData("hs_secret", "a+b",
        ":4: hs_token has characters other than A-Z a-z 0-9 _ -, which some homeservers encode differently: avoid them")]
    [InlineData("hs_secret", "as-secret", ":4: hs_token is the same as as_token: use two different tokens")]
    public void A_valid_but_probably_unintended_value_is_a_warning(string right, string changed, string line)
    {
        Assert.Contains(right, Good);
        Assert.Equal([Path + line], Lines(Read(Good.Replace(right, changed))));
    }

    [Fact]
    public void A_file_that_every_user_can_read_is_a_warning()
    {
        File.WriteAllText(Path, Good);
        File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        var warning = Assert.Single(Lines(RegistrationReader.Read(Path)));
        Assert.Equal($"{Path}: the file lets every user of this machine access its tokens: chmod o= {Path}", warning);

        File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Assert.Empty(RegistrationReader.Read(Path).Warnings);
    }

    [Theory]
    [InlineData("hs_secret", "geheim geheim")]
    [InlineData("\"hs_secret\"", "- geheim")]
    [InlineData("\"hs_secret\"", "!geheim")]
    [InlineData("\"hs_secret\"", "*geheim")]
    [InlineData("\"hs_secret\"", "@geheim")]
    [InlineData("\"hs_secret\"", "\"geheim\\geheim\"")]
    [InlineData("\"hs_secret\"", "\"geheim\ngeheim: x")]
    [InlineData("hs_token:", "hs_token: geheim: ")]
    public void No_error_repeats_a_token(string right, string wrong) =>
        Assert.DoesNotContain("geheim", ErrorOf(Good.Replace(right, wrong)));

    private static IEnumerable<string> Lines(AppServiceRegistration registration) =>
        registration.Warnings.Select(warning => warning.ToString());

    private string ErrorOf(string text) => Assert.Throws<ConfigurationException>(() => Read(text)).Message;

    private static string ErrorOfFile(string path) =>
        Assert.Throws<ConfigurationException>(() => RegistrationReader.Read(path)).Message;

    private AppServiceRegistration Read(string text)
    {
        File.WriteAllText(Path, text);
        File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return RegistrationReader.Read(Path);
    }
}
