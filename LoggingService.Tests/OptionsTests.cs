using System.Text;
using LoggingService.Options;
using Microsoft.Extensions.Configuration;

namespace LoggingService.Tests;

/// <summary>The settings: defaults, values, and errors that name the key.</summary>
public sealed class OptionsTests
{
    [Fact]
    public void The_defaults_suit_a_Synapse_on_the_same_machine()
    {
        var options = Read("{}");

        Assert.Equal("http://localhost:8008/", options.Homeserver.AbsoluteUri);
        Assert.Equal(Path.Combine(Environment.CurrentDirectory, "registration.yaml"), options.Registration);
        Assert.Equal(Path.Combine(Environment.CurrentDirectory, "logs"), options.Logs);
        Assert.Null(options.RetainDays);
        Assert.Null(options.CompressAfterDays);
        Assert.Equal(60, options.RoomsPerHour);
        Assert.Empty(options.Moderators);
        Assert.Equal(134_217_728, options.MaxBodyBytes);
    }

    [Fact]
    public void Every_setting_is_read()
    {
        var options = Read(
            """
            {"homeserver": "https://matrix.example.org/@hs", "Registration": "/etc/r.yaml", "Logs": "/var/log/../rooms", "RetainDays": 30,
             "CompressAfterDays": 7, "RoomsPerHour": 0,
             "Moderators": ["@alice:example.org", "@Ünï=x/y:[::1]:8448"], "MaxBodyBytes": 1048576}
            """);

        Assert.Equal("https://matrix.example.org/@hs/", options.Homeserver.AbsoluteUri);
        Assert.Equal("/etc/r.yaml", options.Registration);
        Assert.Equal("/var/rooms", options.Logs);
        Assert.Equal(30, options.RetainDays);
        Assert.Equal(7, options.CompressAfterDays);
        Assert.Equal(0, options.RoomsPerHour);
        Assert.Equal(["@alice:example.org", "@Ünï=x/y:[::1]:8448"], options.Moderators);
        Assert.Equal(1_048_576, options.MaxBodyBytes);
    }

    [Theory]
    [InlineData("""{"RetainDays": null, "Moderators": [], "Homeserver": null}""")]
    [InlineData("""{"RetainDays": "", "Moderators": ""}""")]
    public void An_empty_setting_has_its_default(string section)
    {
        var options = Read(section);

        Assert.Null(options.RetainDays);
        Assert.Empty(options.Moderators);
        Assert.Equal("http://localhost:8008/", options.Homeserver.AbsoluteUri);
    }

    [Theory]
    [InlineData("""{"RoomsPerHour": "abc"}""",
        "LoggingService:RoomsPerHour is \"abc\"; expected a whole number from 0 to 2147483647: the limit of rooms created per hour")]
    [InlineData("""{"RoomsPerHour": 1.5}""",
        "LoggingService:RoomsPerHour is \"1.5\"; expected a whole number from 0 to 2147483647: the limit of rooms created per hour")]
    [InlineData("""{"RoomsPerHour": -1}""",
        "LoggingService:RoomsPerHour is \"-1\"; expected a whole number from 0 to 2147483647: the limit of rooms created per hour")]
    [InlineData("""{"RoomsPerHour": [1]}""", "LoggingService:RoomsPerHour is a list or a section; expected a number")]
    [InlineData("""{"RetainDays": 0}""",
        "LoggingService:RetainDays is \"0\"; expected a whole number from 1 to 36500: the days to keep. Omit it to keep all")]
    [InlineData("""{"CompressAfterDays": 0}""",
        "LoggingService:CompressAfterDays is \"0\"; expected a whole number from 1 to 36500: the days that are not compressed. Omit it to "
        + "compress none")]
    [InlineData("""{"MaxBytes": "1KB"}""",
        "LoggingService:MaxBytes is \"1KB\"; expected a size from 1 MiB to 1024 TiB, such as 128MB or 134217728: the limit of all logs. "
        + "Omit it to keep all")]
    [InlineData("""{"MaxBodyBytes": 65536}""",
        "LoggingService:MaxBodyBytes is \"65536\"; expected a size from 1 MiB to 512 MiB, such as 128MB or 134217728: the limit "
        + "of a transaction")]
    [InlineData("""{"MaxBodyBytes": 99999999999}""",
        "LoggingService:MaxBodyBytes is \"99999999999\"; expected a size from 1 MiB to 512 MiB, such as 128MB or 134217728: the limit of "
        + "a transaction")]
    [InlineData("""{"MaxBodyBytes": "1GiB"}""",
        "LoggingService:MaxBodyBytes is \"1GiB\"; expected a size from 1 MiB to 512 MiB, such as 128MB or 134217728: the limit of a "
        + "transaction")]
    [InlineData("""{"MaxBodyBytes": "128M"}""",
        "LoggingService:MaxBodyBytes is \"128M\"; expected a size from 1 MiB to 512 MiB, such as 128MB or 134217728: the limit of a "
        + "transaction")]
    [InlineData("""{"Homeserver": "http://hs:99999"}""",
        "LoggingService:Homeserver has the port 99999; a port is 1 to 65535: use one such as http://localhost:8008")]
    [InlineData("""{"Homeserver": "http://hs:80x/a"}""",
        "LoggingService:Homeserver has the port 80x; a port is 1 to 65535: use one such as http://localhost:8008")]
    [InlineData("""{"Homeserver": "localhost:8008"}""",
        "LoggingService:Homeserver is \"localhost:8008\", which is not an absolute http:// or https:// URL: use one such as "
        + "http://localhost:8008")]
    [InlineData("""{"Homeserver": "/hs"}""",
        "LoggingService:Homeserver is \"/hs\", which is not an absolute http:// or https:// URL: use one such as http://localhost:8008")]
    [InlineData("""{"Homeserver": "http://h s/"}""",
        "LoggingService:Homeserver contains white space: use one such as http://localhost:8008")]
    [InlineData("""{"Homeserver": "http://hs/?a=b"}""",
        "LoggingService:Homeserver has a query (?), a fragment (#) or a user (@): use one such as http://localhost:8008")]
    [InlineData("""{"Homeserver": "http://me:secret@hs/"}""",
        "LoggingService:Homeserver has a query (?), a fragment (#) or a user (@): use one such as http://localhost:8008")]
    [InlineData("""{"Homeserver": "ftp://me:secret@hs/"}""",
        "LoggingService:Homeserver has a query (?), a fragment (#) or a user (@): use one such as http://localhost:8008")]
    [InlineData("""{"Homeserver": "me:secret@hs"}""",
        "LoggingService:Homeserver has a query (?), a fragment (#) or a user (@): use one such as http://localhost:8008")]
    [InlineData("""{"Homeserver": "hs?access_token=secret"}""",
        "LoggingService:Homeserver has a query (?), a fragment (#) or a user (@): use one such as http://localhost:8008")]
    [InlineData("""{"Homeserver": ""}""", "LoggingService:Homeserver is empty. Omit it for the default, http://localhost:8008")]
    [InlineData("""{"Logs": " "}""", "LoggingService:Logs is empty. Omit it for the default, logs")]
    [InlineData("""{"Logs": {"Path": "x"}}""", "LoggingService:Logs is a list or a section; expected a text")]
    [InlineData("""{"Logs": "a\u0000b"}""", "LoggingService:Logs contains a NUL character")]
    [InlineData("""{"Moderators": "@alice:example.org"}""",
        "LoggingService:Moderators is \"@alice:example.org\"; expected a list: [\"@alice:example.org\"], or "
        + "LoggingService__Moderators__0=@alice:example.org in the environment")]
    [InlineData("""{"Moderators": ["@alice:example.org", "bob"]}""",
        "LoggingService:Moderators:1 is \"bob\"; expected a full user id, such as @alice:example.org")]
    [InlineData("""{"Moderators": [""]}""", "LoggingService:Moderators:0 is \"\"; expected a full user id, such as @alice:example.org")]
    [InlineData("""{"RoomPerHour": 1}""",
        "LoggingService:RoomPerHour is not a setting. Did you mean RoomsPerHour?")]
    [InlineData("""{"Port": 1}""",
        "LoggingService:Port is not a setting. The settings are Homeserver, Registration, Logs, RetainDays, CompressAfterDays, "
        + "RoomsPerHour, Moderators, MaxBodyBytes, MaxBytes, WarnFreeBytes, Admin, Pages, NoLogPrefix, Notice, "
        + "HonourRoomRetention, RetainDaysMin, RoomMaySet, JoinLoggedRooms, Redactions, HistoryVisibility")]
    [InlineData("""{"HistoryVisibility": "public"}""",
        "LoggingService:HistoryVisibility is \"public\"; expected shared, world_readable, invited or joined")]
    [InlineData("""{"JoinLoggedRooms": "yes"}""", "LoggingService:JoinLoggedRooms is \"yes\"; expected off or on")]
    public void An_error_is_one_line_that_names_the_key(string section, string line) =>
        Assert.Equal(line, Assert.Throws<ConfigurationException>(() => Read(section)).Message);

    [Fact]
    public void A_section_that_is_a_text_is_an_error() =>
        Assert.Equal(
            "LoggingService is \"on\"; expected a section with the keys Homeserver, Registration, Logs, RetainDays, CompressAfterDays, "
            + "RoomsPerHour, Moderators, MaxBodyBytes, MaxBytes, WarnFreeBytes, Admin, Pages, NoLogPrefix, Notice, "
            + "HonourRoomRetention, RetainDaysMin, RoomMaySet, JoinLoggedRooms, Redactions, HistoryVisibility",
            Assert.Throws<ConfigurationException>(() => Read("\"on\"")).Message);

    [Theory]
    [InlineData("128MB", 128_000_000)]
    [InlineData("64 MiB", 64 << 20)]
    [InlineData("2000kb", 2_000_000)]
    [InlineData("2048 KiB", 2 << 20)]
    [InlineData("512MiB", 512 << 20)]
    [InlineData("1048576", 1 << 20)]
    [InlineData("1048576B", 1 << 20)]
    public void A_size_may_have_a_unit(string text, int bytes) =>
        Assert.Equal(bytes, Read($$"""{"MaxBodyBytes": "{{text}}"}""").MaxBodyBytes);

    private static LoggingServiceOptions Read(string section)
    {
        var json = Encoding.UTF8.GetBytes($$"""{"LoggingService": {{section}}}""");
        return LoggingServiceOptions.Read(new ConfigurationBuilder().AddJsonStream(new MemoryStream(json)).Build());
    }
}
