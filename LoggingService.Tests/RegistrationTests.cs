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

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("registration");

    private string Path => System.IO.Path.Combine(folder.FullName, "registration.yaml");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void The_example_of_the_guide_is_read()
    {
        var registration = AppServiceRegistration.Read("registration.example.yaml");

        Assert.Equal("logging", registration.Id);
        Assert.Equal("http://localhost:5000/", registration.Url.AbsoluteUri);
        Assert.Equal("wfghWEGh3wgWHEf3478sHFWE", registration.AsToken);
        Assert.Equal("ugw8243igya57aaABGFfgeyu", registration.HsToken);
        Assert.Equal("logging", registration.SenderLocalpart);
        Assert.True(registration.IsLoggedAlias("#logged_test:example.org"));
        Assert.Contains("registration.example.yaml:10: as_token is the one of the example, which everybody knows: make your own, here and in the homeserver's copy", registration.Warnings);
        Assert.Contains("registration.example.yaml:11: hs_token is the one of the example, which everybody knows: make your own, here and in the homeserver's copy", registration.Warnings);
    }

    [Fact]
    public void A_plain_registration_has_no_warnings() => Assert.Empty(Read(Good).Warnings);

    [Fact]
    public void Unknown_keys_are_ignored_and_YAML_1_1_booleans_are_understood() =>
        Assert.Empty(Read(Good.Replace("rate_limited: false", "rate_limited: Off\npush: {x: [1, ~]}\nprotocols: [\"irc\"]\nio.element.msc4190: yes\nip_range_whitelist: [\"127.0.0.1/8\", \"::1\"]")).Warnings);

    [Fact]
    public void Rooms_are_logged_by_id_where_the_registration_says_so()
    {
        var registration = Read(Good.Replace("  aliases:", "  rooms:").Replace("#logged_.*", "!a.*"));

        Assert.True(registration.IsLoggedRoom("!abc"));
        Assert.False(registration.IsLoggedRoom("!ba"));
        Assert.False(registration.IsLoggedAlias("#logged_a:example.org"));
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
    public void It_listens_where_the_url_says(string url, string? listens, string pathBase)
    {
        var registration = Read(Good.Replace("http://localhost:5000", url));

        Assert.Equal(listens, registration.ListenUrl);
        Assert.Equal(pathBase, registration.PathBase);
    }

    [Theory]
    [InlineData("id: \"logging\"", "", ": id is missing: a name of this service that no other one at the homeserver has, like \"logging\"")]
    [InlineData("url: \"http://localhost:5000\"", "", ": url is missing: say where the homeserver reaches this service, like \"http://localhost:5000\"")]
    [InlineData("as_token: \"as-secret\"", "", ": as_token is missing: a secret that this service sends to the homeserver; make one with openssl rand -hex 32, here and in the homeserver's copy")]
    [InlineData("hs_token: \"hs_secret\"", "", ": hs_token is missing: a secret that the homeserver sends to this service; make one with openssl rand -hex 32, here and in the homeserver's copy")]
    [InlineData("sender_localpart: \"logging\"", "", ": sender_localpart is missing: the name of the service's own user, like \"logging\"")]
    [InlineData("namespaces:", "name_spaces:", ": namespaces is missing: say there which aliases are logged")]
    [InlineData("\"logging\"\nurl", "\"a|b\"\nurl", ":1: id contains |, which the homeserver refuses: take it out")]
    [InlineData("\"logging\"\nurl", "\"\"\nurl", ":1: id is empty: give it a value")]
    [InlineData("\"logging\"\nurl", "no\nurl", ":1: id is a boolean to the homeserver, which reads YAML 1.1, and must be a string: put it between double quotes")]
    [InlineData("\"logging\"\nurl", "[a]\nurl", ":1: id is a list, and must be a string")]
    [InlineData("\"hs_secret\"", "12:34:56", ":4: hs_token is a number to the homeserver, which reads YAML 1.1, and must be a string: put it between double quotes")]
    [InlineData("\"hs_secret\"", "2024-01-01", ":4: hs_token is a date to the homeserver, which reads YAML 1.1, and must be a string: put it between double quotes")]
    [InlineData("\"hs_secret\"", "1_0.5", ":4: hs_token is a number to the homeserver, which reads YAML 1.1, and must be a string: put it between double quotes")]
    [InlineData("\"hs_secret\"", "~", ":4: hs_token is null to the homeserver, which reads YAML 1.1, and must be a string: put it between double quotes")]
    [InlineData("\"hs_secret\"", "", ":4: hs_token is empty: give it a string between double quotes (without them, # begins a comment)")]
    [InlineData("\"hs_secret\"", "\"pass wörd\"", ":4: hs_token contains white space, a control character or one that isn't ASCII, and can't be sent in a header: make it of A-Z a-z 0-9 _ - only")]
    [InlineData("\"as-secret\"", "\"a\\tb\"", ":3: as_token contains white space, a control character or one that isn't ASCII, and can't be sent in a header: make it of A-Z a-z 0-9 _ - only")]
    [InlineData("sender_localpart: \"logging\"", "sender_localpart: \"a+b\"", ":5: sender_localpart contains other characters than A-Z a-z 0-9 _ . - ~ /, which the homeserver refuses: write the part between @ and :, like \"logging\"")]
    [InlineData("\"http://localhost:5000\"", "null", ":2: url is null: the homeserver would never push anything; say where it reaches this service, like \"http://localhost:5000\"")]
    [InlineData("\"http://localhost:5000\"", "\"\"", ":2: url is \"\": the homeserver would never push anything; say where it reaches this service, like \"http://localhost:5000\"")]
    [InlineData("\"http://localhost:5000\"", "localhost:5000", ":2: url is \"localhost:5000\", which is no address that begins with http:// or https://: write one like \"http://localhost:5000\"")]
    [InlineData("\"http://localhost:5000\"", "5000", ":2: url is a number to the homeserver, which reads YAML 1.1, and must be a string: put it between double quotes")]
    [InlineData("\"http://localhost:5000\"", "\"http://localhost:5000 \"", ":2: url contains white space: take it out")]
    [InlineData("\"http://localhost:5000\"", "\"http://localhost:5000/?x\"", ":2: url has a query (?), a fragment (#) or a user (@): leave only scheme, host, port and path")]
    [InlineData("rate_limited: false", "id: \"x\"", ":6: id is there for the second time (first in line 1): keep one")]
    [InlineData("regex: \"#logged_.*\"", "regex: \"#logged_.*\"\n      regex: \"x\"", ":11: namespaces.aliases[0].regex is there for the second time (first in line 10): keep one")]
    [InlineData("regex: \"#logged_.*\"", "regex: #logged_.*", ":10: namespaces.aliases[0].regex is empty: give it a string between double quotes (without them, # begins a comment)")]
    [InlineData("regex: \"#logged_.*\"", "regex: !x.*", ":10: namespaces.aliases[0].regex begins with !, which is a tag to YAML: put it between double quotes")]
    [InlineData("regex: \"#logged_.*\"", "regex: *x", ":10: namespaces.aliases[0].regex begins with *, which stands for another value: put it between double quotes")]
    [InlineData("exclusive: false", "exclusive: \"no\"", ":9: namespaces.aliases[0].exclusive is a string, and must be true or false, without quotes")]
    [InlineData("exclusive: false", "exclusive: 0", ":9: namespaces.aliases[0].exclusive is a number, and must be true or false")]
    [InlineData("exclusive: false", "group_id: x", ":9: namespaces.aliases[0] has no exclusive: add exclusive: false")]
    [InlineData("regex: \"#logged_.*\"", "group_id: x", ":9: namespaces.aliases[0] has no regex: add the regular expression")]
    [InlineData("    - exclusive: false\n      regex: \"#logged_.*\"", "    - \"#logged_.*\"", ":9: namespaces.aliases[0] is a string, and must be a mapping like {exclusive: false, regex: \"#logged_.*\"}")]
    [InlineData("  aliases:\n", "  users:\n  aliases:\n", ":8: namespaces.users is null, and must be a list (an empty one is [])")]
    [InlineData("  aliases:\n", "  rooms: {}\n  aliases:\n", ":8: namespaces.rooms is a mapping, and must be a list (an empty one is [])")]
    [InlineData("rate_limited: false", "protocols: irc", ":6: protocols is a string, and must be a list (an empty one is [])")]
    [InlineData("rate_limited: false", "protocols: [1]", ":6: protocols[0] is a number to the homeserver, which reads YAML 1.1, and must be a string: put it between double quotes")]
    [InlineData("rate_limited: false", "org.matrix.msc3202: 1", ":6: org.matrix.msc3202 is a number, and must be true or false")]
    [InlineData("rate_limited: false", "io.element.msc4190:", ":6: io.element.msc4190 is null, and must be true or false")]
    [InlineData("rate_limited: false", "ip_range_whitelist: [\"localhost\"]", ":6: ip_range_whitelist[0] is \"localhost\", which is no range of addresses: write one like \"127.0.0.0/8\"")]
    [InlineData("rate_limited: false", "---", ":6: here a second document begins: a registration is one")]
    [InlineData("rate_limited: false", "# \u0007", ":6: here is the control character U+0007, which YAML doesn't allow: take it out")]
    [InlineData("rate_limited: false", "<<: {a: b}", ":6: a key is a special sign, and must be a string")]
    [InlineData("rate_limited: false", "? [a]\n: b", ":6: a key is a list, and must be a string")]
    public void A_mistake_is_one_line_that_names_file_line_and_key(string right, string wrong, string line)
    {
        Assert.Contains(right, Good);
        Assert.Equal(Path + line, MistakeIn(Good.Replace(right, wrong)));
    }

    [Theory]
    [InlineData("", ": the file is empty: take it away and start the service again, and it makes a new one")]
    [InlineData("# nothing\n", ": the file is empty: take it away and start the service again, and it makes a new one")]
    [InlineData("\n- id: x\n", ":2: this is a list, and must be a registration: keys with values, like id: \"logging\"")]
    [InlineData("hello", ":1: this is a string, and must be a registration: keys with values, like id: \"logging\"")]
    [InlineData("namespaces: x\nid: a\nurl: http://a\nas_token: a\nhs_token: b\nsender_localpart: c", ":1: namespaces is a string, and must be a mapping with users, rooms and aliases")]
    public void A_file_that_is_no_registration_is_told_in_one_line(string text, string line) => Assert.Equal(Path + line, MistakeIn(text));

    [Fact]
    public void A_file_that_is_no_YAML_is_told_with_the_line()
    {
        Assert.Matches($"^{Path}:4: the YAML is broken here: [^\n]+$", MistakeIn(Good.Replace("\"hs_secret\"", "@x")));
        Assert.Equal($"{Path}:2: the YAML is broken, here or in the next lines: look for a bracket or quote that isn't closed", MistakeIn("id: a\nurl: [b\nas_token: c\n"));
        Assert.Matches($@"^{Path}:10: the YAML is broken here: [^\n]+ \(between double quotes a backslash is written twice\)$", MistakeIn(Good.Replace("#logged_.*", @"#logged\.x")));
    }

    [Fact]
    public void A_pattern_that_cannot_be_used_is_told_with_the_reason() =>
        Assert.Matches($@"^{Path}:10: namespaces\.aliases\[0\]\.regex ""#\(logged_"" can't be used: [^\n]+$", MistakeIn(Good.Replace("#logged_.*", "#(logged_")));

    [Fact]
    public void A_file_that_is_no_UTF_8_is_told_with_the_line()
    {
        File.WriteAllBytes(Path, Encoding.Latin1.GetBytes("id: \"logging\"\n# ä\n"));

        Assert.Equal($"{Path}:2: this isn't UTF-8: save the file as UTF-8", Assert.Throws<ConfigurationException>(() => AppServiceRegistration.Read(Path)).Message);
    }

    [Fact]
    public void A_file_that_is_missing_or_a_folder_is_told_in_one_line()
    {
        Assert.Equal($"{Path}: there is no such file: the registration that the homeserver reads must be there", Assert.Throws<ConfigurationException>(() => AppServiceRegistration.Read(Path)).Message);
        Assert.Equal($"{folder.FullName}: this is a folder, and must be the registration file", Assert.Throws<ConfigurationException>(() => AppServiceRegistration.Read(folder.FullName)).Message);
    }

    [Theory]
    [InlineData("  aliases:\n", "  users:\n    - {exclusive: true, regex: \"@x.*\"}\n  aliases:\n", ":9: namespaces.users isn't empty: rooms of these users would be pushed here too, and aren't logged for it; make it []")]
    [InlineData("    - exclusive: false\n      regex: \"#logged_.*\"", "    []", ":8: namespaces has no aliases: nothing would be logged; add - {exclusive: false, regex: \"#logged_.*\"} to its aliases")]
    [InlineData("rate_limited: false", "", ": rate_limited is missing, which means true: the homeserver would limit how fast rooms are made; add rate_limited: false")]
    [InlineData("rate_limited: false", "rate_limited: on", ":6: rate_limited is true: the homeserver would limit how fast rooms are made; make it false")]
    [InlineData("rate_limited: false", "rate_limited: \"false\"", ":6: rate_limited is a string, which means true: the homeserver would limit how fast rooms are made; make it false, without quotes")]
    [InlineData("hs_secret", "a+b", ":4: hs_token contains other characters than A-Z a-z 0-9 _ -, which some homeservers send in a way that reads differently: better leave them out")]
    [InlineData("hs_secret", "as-secret", ":4: hs_token is the same as as_token: whoever reads one has both; make them different")]
    public void What_is_allowed_but_hardly_meant_gets_a_warning(string right, string changed, string line)
    {
        Assert.Contains(right, Good);
        Assert.Equal([Path + line], Read(Good.Replace(right, changed)).Warnings);
    }

    [Fact]
    public void A_file_that_every_user_can_read_gets_a_warning()
    {
        File.WriteAllText(Path, Good);
        File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        Assert.Equal([$"{Path}: every user of this machine can read the tokens in it: chmod o= {Path}"], AppServiceRegistration.Read(Path).Warnings);

        File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Assert.Empty(AppServiceRegistration.Read(Path).Warnings);
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
    public void No_mistake_repeats_a_token(string right, string wrong) =>
        Assert.DoesNotContain("geheim", MistakeIn(Good.Replace(right, wrong)));

    private string MistakeIn(string text) => Assert.Throws<ConfigurationException>(() => Read(text)).Message;

    private AppServiceRegistration Read(string text)
    {
        File.WriteAllText(Path, text);
        File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return AppServiceRegistration.Read(Path);
    }
}
