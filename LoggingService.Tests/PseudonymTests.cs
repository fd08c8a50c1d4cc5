using System.Text;
using LoggingService.Erasure;

namespace LoggingService.Tests;

/// <summary>A pseudonym takes the place of one user's id, in each form in which it can be written.</summary>
public class PseudonymTests
{
    [Theory]
    [InlineData("hello @alice:example.org.", "hello @p:x.")]
    [InlineData("\"@alice:example.org\":50", "\"@p:x\":50")]
    [InlineData("https://matrix.to/#/%40alice%3Aexample.org", "https://matrix.to/#/%40p%3Ax")]
    [InlineData("https://matrix.to/#/@alice%3aexample.org", "https://matrix.to/#/@p%3ax")]
    [InlineData("\\u0040alice:example.org", "\\u0040p:x")]
    [InlineData("@alice:example.org and @alice:example.org", "@p:x and @p:x")]
    [InlineData("@alice:example.org.uk, @alice:example.org:8448, @alice:example.orgs, @alice:example.org-x", null)]
    [InlineData("@malice:example.org", null)]
    public void Only_the_id_itself_is_replaced(string text, string? expected)
    {
        var pseudonym = new Pseudonym("@alice:example.org", "@p:x");
        var replaced = pseudonym.Replace(Encoding.UTF8.GetBytes(text));
        Assert.Equal(expected, replaced is null ? null : Encoding.UTF8.GetString(replaced));
        Assert.Equal(expected is not null, pseudonym.IsIn(Encoding.UTF8.GetBytes(text)));
    }
}
