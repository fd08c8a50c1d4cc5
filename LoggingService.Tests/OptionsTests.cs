using System.Text;
using LoggingService.Options;
using Microsoft.Extensions.Configuration;

namespace LoggingService.Tests;

public sealed class OptionsTests
{
    [Fact]
    public void Without_settings_it_works_beside_a_Synapse_on_the_same_machine()
    {
        var options = Read("{}");

        Assert.Equal("http://localhost:8008/", options.Homeserver.AbsoluteUri);
        Assert.Equal(Path.Combine(Environment.CurrentDirectory, "registration.yaml"), options.Registration);
        Assert.Equal(Path.Combine(Environment.CurrentDirectory, "logs"), options.Logs);
        Assert.Null(options.RetainDays);
        Assert.Equal(60, options.RoomsPerHour);
        Assert.Empty(options.Moderators);
        Assert.Equal(134_217_728, options.MaxBodyBytes);
    }

    [Fact]
    public void Every_setting_is_heeded()
    {
        var options = Read(
            """
            {"homeserver": "https://matrix.example.org/hs", "Registration": "/etc/r.yaml", "Logs": "/var/log/../rooms", "RetainDays": 30,
             "RoomsPerHour": 0, "Moderators": ["@alice:example.org", "@Ünï=x/y:[::1]:8448"], "MaxBodyBytes": 1048576}
            """);

        Assert.Equal("https://matrix.example.org/hs/", options.Homeserver.AbsoluteUri);
        Assert.Equal("/etc/r.yaml", options.Registration);
        Assert.Equal("/var/rooms", options.Logs);
        Assert.Equal(30, options.RetainDays);
        Assert.Equal(0, options.RoomsPerHour);
        Assert.Equal(["@alice:example.org", "@Ünï=x/y:[::1]:8448"], options.Moderators);
        Assert.Equal(1_048_576, options.MaxBodyBytes);
    }

    [Theory]
    [InlineData("""{"RetainDays": null, "Moderators": [], "Homeserver": null}""")]
    [InlineData("""{"RetainDays": "", "Moderators": ""}""")]
    public void A_setting_that_is_left_empty_is_as_if_left_out(string section)
    {
        var options = Read(section);

        Assert.Null(options.RetainDays);
        Assert.Empty(options.Moderators);
        Assert.Equal("http://localhost:8008/", options.Homeserver.AbsoluteUri);
    }

    [Theory]
    [InlineData("""{"RoomsPerHour": "abc"}""", "LoggingService:RoomsPerHour is \"abc\", and must be a whole number: how many rooms may be made in an hour")]
    [InlineData("""{"RoomsPerHour": 1.5}""", "LoggingService:RoomsPerHour is \"1.5\", and must be a whole number: how many rooms may be made in an hour")]
    [InlineData("""{"RoomsPerHour": -1}""", "LoggingService:RoomsPerHour is \"-1\", and must be from 0 to 2147483647: it is how many rooms may be made in an hour")]
    [InlineData("""{"RoomsPerHour": [1]}""", "LoggingService:RoomsPerHour is a list or a section, and must be a number")]
    [InlineData("""{"RetainDays": 0}""", "LoggingService:RetainDays is \"0\", and must be from 1 to 36500: it is the days whose logs are kept; leave it out to keep them for ever")]
    [InlineData("""{"MaxBodyBytes": 65536}""", "LoggingService:MaxBodyBytes is \"65536\", and must be from 1048576 to 2147483591: it is how many bytes a transaction may have")]
    [InlineData("""{"MaxBodyBytes": 99999999999}""", "LoggingService:MaxBodyBytes is \"99999999999\", and must be from 1048576 to 2147483591: it is how many bytes a transaction may have")]
    [InlineData("""{"Homeserver": "localhost:8008"}""", "LoggingService:Homeserver is \"localhost:8008\", which is not an absolute http:// or https:// URL: use one such as http://localhost:8008")]
    [InlineData("""{"Homeserver": "/hs"}""", "LoggingService:Homeserver is \"/hs\", which is not an absolute http:// or https:// URL: use one such as http://localhost:8008")]
    [InlineData("""{"Homeserver": ""}""", "LoggingService:Homeserver is \"\", which says nothing: leave it out for http://localhost:8008")]
    [InlineData("""{"Homeserver": "http://h s/"}""", "LoggingService:Homeserver contains white space: use one such as http://localhost:8008")]
    [InlineData("""{"Homeserver": "http://hs/?a=b"}""", "LoggingService:Homeserver has a query (?), a fragment (#) or a user (@): use one such as http://localhost:8008")]
    [InlineData("""{"Homeserver": "http://me:secret@hs/"}""", "LoggingService:Homeserver has a query (?), a fragment (#) or a user (@): use one such as http://localhost:8008")]
    [InlineData("""{"Logs": " "}""", "LoggingService:Logs is \" \", which says nothing: leave it out for logs")]
    [InlineData("""{"Logs": {"Path": "x"}}""", "LoggingService:Logs is a list or a section, and must be a text")]
    [InlineData("""{"Logs": "a\u0000b"}""", "LoggingService:Logs contains a NUL character: take it out")]
    [InlineData("""{"Moderators": "@alice:example.org"}""", "LoggingService:Moderators is \"@alice:example.org\", which is no list: write [\"@alice:example.org\"], in the environment LoggingService__Moderators__0=@alice:example.org")]
    [InlineData("""{"Moderators": ["@alice:example.org", "bob"]}""", "LoggingService:Moderators:1 is \"bob\", which is no user id: write it in full, like @alice:example.org")]
    [InlineData("""{"Moderators": [""]}""", "LoggingService:Moderators:0 is \"\", which is no user id: write it in full, like @alice:example.org")]
    [InlineData("""{"RoomPerHour": 1}""", "LoggingService:RoomPerHour is no setting. The settings are Homeserver, Registration, Logs, RetainDays, RoomsPerHour, Moderators, MaxBodyBytes")]
    public void A_mistake_is_one_line_that_names_the_key(string section, string line) =>
        Assert.Equal(line, Assert.Throws<ConfigurationException>(() => Read(section)).Message);

    [Fact]
    public void A_section_that_is_a_text_is_a_mistake() =>
        Assert.Equal(
            "LoggingService is \"on\", which is no section: its keys are Homeserver, Registration, Logs, RetainDays, RoomsPerHour, Moderators, MaxBodyBytes",
            Assert.Throws<ConfigurationException>(() => Read("\"on\"")).Message);

    private static LoggingServiceOptions Read(string section) => LoggingServiceOptions.Read(
        new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes($$"""{"LoggingService": {{section}}}"""))).Build());
}
